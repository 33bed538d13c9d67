import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../../context.ts'
import { requestJob } from '../../jobs/index.ts'
import type { JobHandler } from '../../jobs/job.ts'
import { subscriber, type Subscriber } from '../../plugins/define-plugin.ts'
import { PluginDisabled, PluginEnabled, PluginQuarantined } from '../../plugins/plugin-events.ts'
import type { RecordEngine } from '../engine.ts'
import { reindex } from '../merge/moves.ts'
import { withEveryRight } from '../merge/system-scope.ts'

export const sideWordsKind = 'core.side-words'

const anyPlugin = z.object({ plugin: z.string() })

interface SearchedSide {
  readonly resource: string
  readonly plugin: string
}

/** Records looked at in one unit of work. */
const chunkSize = 500

/**
 * Asks for the words of the search to be made anew that a plugin's side fields bring, when it was switched: of one that is
 * off nobody finds a record, and of one that is on again what was written meanwhile has them, too.
 */
async function requestSideWords(ctx: Context, plugin: string): Promise<void> {
  const { catalog } = (ctx.records as RecordEngine).scope
  for (const { id: resource, sides } of catalog.whole.all())
    for (const side of sides)
      if (side.search.length > 0 && (side.plugin === plugin || side.when?.plugin === plugin))
        await requestJob(ctx, { kind: sideWordsKind, payload: { resource, plugin: side.plugin } })
}

const switched = [PluginEnabled.name, PluginDisabled.name, PluginQuarantined.name]

export const sideWordsSubscribers: readonly Subscriber[] = switched.map((name) =>
  subscriber<typeof anyPlugin>(`side-words-${name.split('.').at(-1)}`, name, ({ payload }, ctx) =>
    requestSideWords(ctx, payload.plugin),
  ),
)

/** Goes through the records that have something beside them; a killed run begins again, which changes nothing twice. */
export const refreshSideWords: JobHandler<SearchedSide> = async ({ payload }, { unit, progress }) => {
  let after: string | undefined
  let looked = 0
  for (;;) {
    const ids = await unit((ctx) => refreshSome(ctx, payload, after))
    looked += ids.length
    if (ids.length < chunkSize) return { looked }
    after = ids.at(-1)
    await progress(looked)
  }
}

async function refreshSome(
  ctx: Context,
  { resource: id, plugin }: SearchedSide,
  after: string | undefined,
): Promise<readonly string[]> {
  const scope = withEveryRight((ctx.records as RecordEngine).scope)
  const resource = scope.catalog.get(id)
  const side = scope.catalog.whole.get(id)?.sides.find((it) => it.plugin === plugin)
  // A plugin that went since this was asked for.
  if (!resource || !side) return []
  const { rows } = await sql<{ record: string }>`
    select b.record from ${sql.table(`${side.schema}.${side.table}`)} as b
    where b.workspace = ${ctx.workspace.id}::uuid ${after === undefined ? sql`` : sql`and b.record > ${after}::uuid`}
    order by b.record limit ${chunkSize}`.execute(scope.tx)
  const ids = rows.map(({ record }) => record)
  if (ids.length > 0) await reindex(scope, resource, ids)
  return ids
}
