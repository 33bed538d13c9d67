import { sql, type SqlBool } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { Database } from '../database/database.ts'
import type { JobHandler } from '../jobs/job.ts'
import { requestJob } from '../jobs/index.ts'
import { defineRoute } from '../plugins/define-plugin.ts'
import type { Words } from '../words.ts'
import { takeBackSet } from './take-back.ts'

export const demoRemovalKind = 'core.demo-removal'

const permission = 'core.workspace.manage'

/** What is left of the demonstration, and what was taken away. */
interface DemoCount {
  readonly removed: number
  /** Changed or used since by somebody, so they stay. */
  readonly kept: number
}

/**
 * Takes the demonstration away: each set of changes its plugins wrote, newest first, as undo does. What people changed since,
 * or refer to from their own records, stays. A killed run goes on behind its last set.
 */
export function removeDemo({ database, words }: { database: Database; words: Words }): JobHandler {
  return async ({ workspace, progress: done }, { unit, progress }): Promise<DemoCount> => {
    const sets = await unit(demoSets)
    for (const [index, changeSet] of sets.entries()) {
      if (index < done) continue
      await unit(
        async (ctx) => {
          await takeBackSet(ctx, changeSet, {
            words,
            // Modules go on with what the demonstration told them: a won opportunity makes a client.
            isOwn: sql<SqlBool>`(s.actor_type in ('system', 'plugin') or s.origin = 'demo')`,
            scopeOf: (_, { system }) => system,
          })
          await progress(index + 1, sets.length, ctx)
        },
        { origin: 'demo', undoOf: changeSet },
      )
    }
    const counted = await unit(countDemo)
    await sql`update core.workspace set demo = false where id = ${workspace}::uuid`.execute(database.owner)
    return counted
  }
}

async function demoSets(ctx: Context): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from core.change_set where workspace = ${ctx.workspace.id}::uuid and origin = 'demo' and undo_of is null
    order by id desc`.execute(ctx.sql)
  return rows.map(({ id }) => id)
}

async function countDemo(ctx: Context): Promise<DemoCount> {
  const { rows } = await sql<DemoCount>`
    select count(*) filter (where last.action = 'delete')::integer as removed,
      count(*) filter (where last.action <> 'delete')::integer as kept
    from core.change_set s
    join core.change c on c.workspace = s.workspace and c.change_set = s.id and c.action = 'create'
    cross join lateral (
      select l.action from core.change l where l.workspace = c.workspace and l.resource = c.resource and l.record = c.record
      order by l.version desc limit 1) last
    where s.workspace = ${ctx.workspace.id}::uuid and s.origin = 'demo' and s.undo_of is null`.execute(ctx.sql)
  return rows[0] ?? { removed: 0, kept: 0 }
}

export const demoRoutes = [
  defineRoute({
    method: 'get',
    path: '/demo',
    permission,
    summary: 'Whether the workspace was filled with the demonstration',
    answer: z.object({ data: z.object({ present: z.boolean() }) }),
    async handle(_, ctx) {
      const { rows } = await sql<{ demo: boolean }>`
        select demo from core.workspace where id = ${ctx.workspace.id}::uuid`.execute(ctx.sql)
      return { data: { present: rows[0]?.demo === true } }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/demo/remove',
    permission,
    summary: 'Take the demonstration away, but for what was changed or is used since',
    status: 202,
    answer: z.object({ data: z.object({ job: z.uuid() }) }),
    handle: async (_, ctx) => ({ data: { job: await requestJob(ctx, { kind: demoRemovalKind, key: 'demo' }) } }),
  }),
]
