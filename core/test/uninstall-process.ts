// A process of its own that serves and works until it is killed. See plugin-uninstall.test.ts.
import { createApp } from '../src/app.ts'
import { serverDatabase } from '../src/database/database.ts'
import { vaultPlugin } from './vault-plugin.ts'

const [url = ''] = process.argv.slice(2)
const app = await createApp({
  database: await serverDatabase(url),
  databaseUrl: url,
  plugins: [vaultPlugin()],
  identity: { baseUrl: 'http://localhost', secret: 'a secret of tests only, at least 32 long' },
  pace: { recoverSeconds: 10, pollMilliseconds: 500 },
})
await app.start()
process.send?.('started')
