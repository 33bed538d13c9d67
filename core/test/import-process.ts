// A process of its own that works on imports until it is killed; `once` only on what is there when it is told to. See
// import-chaos.ts and import-crash.ts.
import { once } from 'node:events'
import { pino } from 'pino'
import { createApp } from '../src/app.ts'
import { serverDatabase } from '../src/database/database.ts'

const [url = '', how] = process.argv.slice(2)
const app = await createApp({
  database: await serverDatabase(url, { connections: 6 }),
  databaseUrl: url,
  plugins: [],
  log: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }),
  identity: { baseUrl: 'http://localhost', secret: 'a secret of tests only, at least 32 long' },
  pace: { pollMilliseconds: 500, recoverSeconds: 10 },
  migrate: false,
})
const tell = () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ rss: process.memoryUsage().rss, cpu: (user + system) / 1e6 })
}
if (how === 'once') {
  tell()
  await once(process, 'message')
  await app.jobs.runUntilIdle()
  process.exit()
}
await app.start()
setInterval(tell, 100)
