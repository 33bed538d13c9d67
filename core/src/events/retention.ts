import { sql } from 'kysely'
import { requestJob } from '../jobs/index.ts'
import type { JobHandler } from '../jobs/job.ts'
import type { JobDefinition } from '../plugins/define-plugin.ts'

export const retentionKind = 'core.event-retention'

/** Events looked at in one unit of work. */
const chunkSize = 5_000

/** Every night; events are many, so they go by background work of their own. */
export const nightlyEventRetention: JobDefinition = {
  id: 'nightly-event-retention',
  schedule: '20 4 * * *',
  async run(ctx) {
    await requestJob(ctx, { kind: retentionKind, key: 'nightly' })
  },
}

/** Forgets events older than the workspace keeps them. What somebody is still owed stays: waiting, held, blocked or dead. */
export const forgetEvents: JobHandler = async (_, { unit, progress }) => {
  let after = 0
  let forgotten = 0
  for (;;) {
    const step = await unit(async ({ clock, workspace: { eventDays }, sql: tx }) => {
      const before = new Date(clock.now().getTime() - eventDays * 86_400_000).toISOString()
      const { rows } = await sql<{ forgotten: number | null; last: number | null }>`
        select forgotten, last from core.forget_events(${before}::timestamptz, ${after}::bigint, ${chunkSize})`.execute(
        tx,
      )
      return rows[0]
    })
    forgotten += step?.forgotten ?? 0
    const last = step?.last ?? undefined
    if (last === undefined) return { forgotten }
    after = last
    await progress(forgotten)
  }
}
