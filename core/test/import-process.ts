// A process of its own that works on imports until it is killed. See import-chaos.ts.
import { pino } from 'pino'
import { createApp } from '../src/app.ts'
import { serverDatabase } from '../src/database/database.ts'

const [url = ''] = process.argv.slice(2)
const app = await createApp({
  database: await serverDatabase(url, { connections: 6 }),
  databaseUrl: url,
  plugins: [],
  log: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }),
  identity: { baseUrl: 'http://localhost', secret: 'a secret of tests only, at least 32 long' },
  pace: { pollMilliseconds: 500, recoverSeconds: 10 },
  migrate: false,
})
let most = 0
setInterval(() => {
  const { rss } = process.memoryUsage()
  if (rss <= most) return
  most = rss
  process.send?.({ rss })
}, 100)
await app.start()
process.send?.({ rss: process.memoryUsage().rss })
