// A platform that listens, in a process of its own, as `npm start` runs it: on a server, or on the embedded
// database of a folder. See processes.test.ts, serve.test.ts and unblamed.test.ts.
import { brokenRejectionPlugin } from '@socle/example-broken-rejection'
import { helloPlugin } from '@socle/example-hello'
import { readEnvironment } from '../src/config.ts'
import { serve } from '../src/serve.ts'

const [database = ''] = process.argv.slice(2)
const served = await serve({
  environment: readEnvironment({
    ...(database.includes('://') ? { DATABASE_URL: database } : { SOCLE_DATA: database }),
    PORT: '0',
    HOST: '127.0.0.1',
    SOCLE_DEMO: '0',
    SOCLE_ADMIN_EMAIL: 'claire@example.com',
    SOCLE_ADMIN_PASSWORD: 'a password of tests',
    LOG_LEVEL: 'fatal',
  }),
  plugins: [
    helloPlugin,
    { ...brokenRejectionPlugin, root: new URL('../../examples/broken-rejection/', import.meta.url) },
  ],
  tell: () => {},
})
process.on('message', (message) => {
  // A failure of the platform itself, which nobody else can be blamed for.
  if (message === 'fail') void Promise.reject(new Error('Of the platform itself'))
})
process.once('disconnect', () => process.exit(0))
process.send?.({ url: served.url })
