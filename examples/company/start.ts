import { readEnvironment, serve } from '@socle/core'
import { helloPlugin } from '@socle/example-hello'
import { salesPlugin } from '@socle/sales'
import { ui } from '@socle/ui-shell'

/** What `npm start` runs: the core, the shell and the modules this company uses. */
const served = await serve({
  environment: readEnvironment(process.env),
  plugins: [salesPlugin, helloPlugin],
  ui,
  tell: (line) => process.stdout.write(`${line}\n`),
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void served.close().then(() => process.exit(0))
  })
}
