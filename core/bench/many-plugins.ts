// A platform with as many plugins of as many routes as asked for, in a process of its own. See plugins.ts.
import { z } from 'zod'
import { readEnvironment } from '../src/config.ts'
import { definePlugin, defineRoute } from '../src/plugins/define-plugin.ts'
import { serve } from '../src/serve.ts'
import { answerUse } from './processes.ts'

const [url, plugins = '0', routes = '0'] = process.argv.slice(2)
const of = (count: string) => Array.from({ length: Number(count) }, (_, nth) => nth)

const served = await serve({
  environment: readEnvironment({
    DATABASE_URL: url,
    PORT: '0',
    HOST: '127.0.0.1',
    SOCLE_DEMO: '0',
    SOCLE_ADMIN_EMAIL: 'claire@example.com',
    SOCLE_ADMIN_PASSWORD: 'a password of benchmarks',
    LOG_LEVEL: 'error',
  }),
  plugins: of(plugins).map((nth) =>
    definePlugin({
      id: `bench-${nth}`,
      version: '1.0.0',
      platform: '^1.0.0',
      title: { en: `Bench ${nth}`, fr: `Banc ${nth}` },
      routes: of(routes).map((call) =>
        defineRoute({
          method: 'get',
          path: `/calls/${call}`,
          permission: 'authenticated',
          summary: `Call ${call}`,
          answer: z.int(),
          handle: async () => call,
        }),
      ),
    }),
  ),
  tell: () => {},
})
process.send?.({ url: served.url })
answerUse(() => served.close())
