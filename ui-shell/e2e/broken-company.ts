import { readEnvironment, serve } from '@socle/core'
import { brokenHangPlugin } from '@socle/example-broken-hang'
import { brokenRenderPlugin } from '@socle/example-broken-render'
import { salesPlugin } from '@socle/sales'
import { defineEvent, definePlugin, defineRoute, sql, subscriber, z } from '@socle/sdk'
import { ui } from '@socle/ui-shell'

const Stumbled = defineEvent('stumbling.step.missed', { version: 1, payload: z.object({ step: z.uuid() }) })
const StumbledAt = defineEvent('stumbling.step.missed', {
  version: 2,
  payload: z.object({ step: z.uuid(), account: z.uuid() }),
})

let isMended = false

/** Follows accounts and fails at those that are stuck until it is mended; that time passes is told to it, or a test would wait for hours. */
const stumblingPlugin = definePlugin({
  id: 'stumbling',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Stumbling', fr: 'Trébuchant' },
  emits: [Stumbled, StumbledAt],
  subscribers: [
    subscriber('count', Stumbled, async () => {}),
    subscriber('celebrate', 'sales.opportunity.won', async () => {}),
    // Of a module that is not there.
    subscriber('collect', 'lending.loan.returned', async () => {}),
    subscriber('follow', 'core.account.updated', async ({ key }, { records }) => {
      const { data } = await records.get('core.account', key)
      if (!isMended && String(data['name']).startsWith('Stuck')) throw new TypeError('Not today.')
    }),
  ],
  routes: [
    defineRoute({
      method: 'post',
      path: '/give-up',
      permission: 'authenticated',
      summary: 'Lets all eight tries of what failed once pass',
      answer: z.object({}),
      handle: async (_, { sql: tx }) => {
        await sql`update core.delivery set due_at = 'infinity' where subscription = 'stumbling/follow'`.execute(tx)
        await sql`update core.delivery set state = 'dead', attempts = 8
          where subscription = 'stumbling/follow' and attempts > 0`.execute(tx)
        return {}
      },
    }),
    defineRoute({
      method: 'post',
      path: '/mend',
      permission: 'authenticated',
      summary: 'Lets it fail no more',
      answer: z.object({}),
      handle: async () => {
        isMended = true
        return {}
      },
    }),
  ],
})

// A company that has modules that fail beside one that does not; see fills.e2e.ts, events.e2e.ts and map.e2e.ts.
await serve({
  // Failing is its part here, and nobody is to stop it for that.
  environment: readEnvironment({ ...process.env, SOCLE_QUARANTINE_FAILURES: '1000', SOCLE_QUARANTINE_CALLS: '1000' }),
  plugins: [salesPlugin, brokenRenderPlugin, brokenHangPlugin, stumblingPlugin],
  ui,
  tell: (line) => process.stdout.write(`${line}\n`),
})
