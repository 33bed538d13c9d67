import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import type { Database } from '../../database/database.ts'
import { SocleError } from '../../errors.ts'
import type { Job, JobTools } from '../../jobs/job.ts'
import { giveUpKey } from '../../jobs/jobs.ts'
import type { Parts } from '../../parts.ts'
import { subscriber, type Subscriber } from '../../plugins/define-plugin.ts'
import { recordNotFound } from '../errors.ts'
import { fieldText, sortValueText } from '../field-value.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import { indexOf, withOwnFields, type OwnField } from './own-resources.ts'
import { fields } from './resource.ts'

export const indexJobKind = 'core.field-index'

interface IndexPayload {
  readonly field: string
}

/** Asks for a job by its kind; the part of `Jobs` that this needs. */
export type Enqueue = (
  request: { workspace: string; kind: string; key: string; payload: Readonly<Record<string, unknown>> },
  ctx: Context,
) => Promise<string>

/** Whatever changes a field's index asks for the job: durable, as every event is. */
export function indexSubscribers(enqueue: () => Enqueue): readonly Subscriber[] {
  return (['created', 'updated', 'deleted', 'restored'] as const).map((past) =>
    subscriber(`field-index-${past}`, `core.field.${past}`, async ({ payload }, ctx) => {
      const { record: field, changed } = payload as { record: string; changed: readonly string[] }
      // What the job itself writes asks for nothing.
      if (past === 'updated' && !changed.some((it) => it === 'unique' || it === 'indexed' || it === 'archived')) return
      await enqueue()({ workspace: ctx.workspace.id, kind: indexJobKind, key: field, payload: { field } }, ctx)
    }),
  )
}

/**
 * Builds, keeps or drops the index over one field's values, without a lock that a write would wait for.
 *
 * An index left invalid by a crash is dropped and built again; run twice, it does nothing the second time.
 */
export function indexJob({ database, loaded, log }: Pick<Parts, 'database' | 'loaded' | 'log'>) {
  return async (job: Job<IndexPayload>, { unit }: JobTools): Promise<unknown> => {
    const { workspace, payload } = job
    const { field: id } = payload
    for (;;) {
      const row = await unit((ctx) => definitionOf(ctx, id))
      const base = row && loaded.set.catalog.get(row.resource)
      if (!row || !base) return { state: 'gone' }
      const kind = kindOf(row)
      const failure = await settleIndex({ database, log }, workspace, base, row)
      const indexState = kind === undefined ? null : failure === undefined ? 'ready' : 'failed'
      const isTold = await unit(async (ctx) => {
        // Before the last look: a change that this look does not see finds no job at it, and asks for another.
        await giveUpKey(ctx, job)
        const now = await definitionOf(ctx, id)
        if (!now || kindOf(now) !== kind) throw changedMeanwhile
        await ctx.records.update(fields, now, { indexState, indexFault: failure ?? null }, { internal: true })
        return true
      }).catch((error: unknown) => {
        if (error === changedMeanwhile) return false
        throw error
      })
      // Somebody changed the field meanwhile, and was told that a job is at it.
      if (isTold) return { state: indexState }
    }
  }
}

type Definition = OwnField & { readonly deletedAt: string | null }
type IndexKind = 'unique' | 'plain'

/** Undoes the last unit, the key with it; nobody but this file sees it. */
const changedMeanwhile = new Error('The field was changed while its index was built.')

function kindOf(row: Definition): IndexKind | undefined {
  if (row.archived || row.deletedAt !== null) return undefined
  return row.unique ? 'unique' : row.indexed ? 'plain' : undefined
}

type IndexFault = 'doubled' | 'refused'

/** @returns what kept it from being built */
async function settleIndex(
  { database, log }: Pick<Parts, 'database' | 'log'>,
  workspace: string,
  base: Resource,
  row: Definition,
): Promise<IndexFault | undefined> {
  const kind = kindOf(row)
  const name = indexOf(row.id)
  const found = await existing(database, base, name)
  if (found?.valid === (kind !== undefined) && found?.kind === kind) return undefined
  if (found) await drop(database, base, name)
  if (kind === undefined) return undefined
  try {
    await build(database, workspace, base, row)
    return undefined
  } catch (error) {
    await drop(database, base, name)
    const fault = faultOf(error)
    if (fault === 'refused') log.error({ err: error, field: row.id }, 'an index could not be built')
    return fault
  }
}

async function definitionOf(ctx: Context, id: string): Promise<Definition | undefined> {
  try {
    return (await ctx.records.get(fields, id)).data as RecordJson as Definition
  } catch (error) {
    if (error instanceof SocleError && error.code === recordNotFound.code) return undefined
    throw error
  }
}

async function existing(
  { owner }: Database,
  { schema }: Resource,
  name: string,
): Promise<{ valid: boolean; kind: IndexKind } | undefined> {
  const { rows } = await sql<{ valid: boolean; unique: boolean }>`
    select i.indisvalid as valid, i.indisunique as unique from pg_index i
    join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relname = ${name}`.execute(owner)
  const [row] = rows
  return row && { valid: row.valid, kind: row.unique ? 'unique' : 'plain' }
}

async function build(database: Database, workspace: string, base: Resource, row: OwnField): Promise<void> {
  const model = withOwnFields(base, [{ ...row, archived: false }], {
    catalog: { get: () => undefined },
    workspace,
    zone: 'UTC',
    broken: () => {},
  }).fields.get(row.name)
  if (!model) return
  const value = fieldText(model, base.table) ?? ''
  const sorted = sortValueText(model, base.table)
  // Of what partners have each value is one partner's, or the house's: taken by another it must not be refused.
  const partner = base.partner && base.fields.get(base.partner.field)
  const whose = partner ? `, ${fieldText(partner, base.table)}` : ''
  const columns = row.unique ? `(${sorted})${whose}` : `(${sorted}), id`
  // Other companies' rows stay out of it, before their values are looked at: of one name, theirs may be of any type.
  await statement(
    database,
    `create ${row.unique ? 'unique ' : ''}index ${concurrently(database)} "${indexOf(row.id)}" on "${base.schema}"."${base.table}"
      (${columns}) ${row.unique && whose ? 'nulls not distinct ' : ''}where "workspace" = '${workspace}'::uuid and (${value}) is not null and deleted_at is null`,
  )
  // On old figures about the table the planner would guess, and guess the index away. Figures about the values it takes from
  // no index with a predicate: of a range it expects a third of the rows.
  await statement(database, `analyze "${base.schema}"."${base.table}"`)
}

async function drop(database: Database, { schema }: Resource, name: string): Promise<void> {
  await statement(database, `drop index ${concurrently(database)} if exists "${schema}"."${name}"`)
}

/** Inside this process there is one connection, and nobody to wait. */
const concurrently = ({ kind }: Database) => (kind === 'postgres' ? 'concurrently' : '')

async function statement({ owner }: Database, text: string): Promise<void> {
  await sql.raw(text).execute(owner)
}

/** A code alone: who may read definitions may not read each field, and the database's own words name values. */
function faultOf(error: unknown): IndexFault {
  return (error as { code?: string }).code === '23505' ? 'doubled' : 'refused'
}
