// The platform as it runs in production, in a process of its own: sign-in by key, permissions, ledger, outbox, deliveries.
import { readEnvironment } from '../src/config.ts'
import { serve } from '../src/serve.ts'
import { answerUse } from './processes.ts'

const [url] = process.argv.slice(2)
const served = await serve({
  environment: readEnvironment({
    DATABASE_URL: url,
    PORT: '0',
    HOST: '127.0.0.1',
    SOCLE_DEMO: '0',
    LOG_LEVEL: 'error',
  }),
  plugins: [],
  tell: () => {},
})
process.send?.({ url: served.url })
answerUse(() => served.close())
