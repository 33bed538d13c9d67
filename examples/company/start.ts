import { readEnvironment, recycledExitCode, serve } from '@socle/core'
import { ui } from '@socle/ui-shell'

/** What `npm start` runs: the core, the shell, and the modules among the dependencies in package.json. */
const served = await serve({
  environment: readEnvironment(process.env),
  deployment: new URL('.', import.meta.url),
  ui,
  onWorn: () => void served.close().then(() => process.exit(recycledExitCode)),
  tell: (line) => process.stdout.write(`${line}\n`),
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void served.close().then(() => process.exit(0))
  })
}
