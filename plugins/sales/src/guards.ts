import { defineGuard, sql, type Context, type GuardDefinition, type GuardedWrite, type RecordJson } from '@socle/sdk'
import { OpportunityLost, OpportunityMoved, OpportunityReopened, OpportunityWon } from './contract.ts'
import {
  closeNoteRequired,
  closeReasonRequired,
  reopenDenied,
  stageInUse,
  stageNotInPipeline,
  wonNeedsAccount,
} from './errors.ts'
import { reopenOpportunity } from './permissions.ts'
import { enterStage, leaveAsIfNever, moveBetween } from './stage-visits.ts'
import { nameOfPipeline, pipelineOf, type PipelineRow, type StageRow } from './stages.ts'

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** Puts an opportunity where it belongs: pipeline, stage, probability, currency; closes, reopens and keeps the visits. */
const opportunityStands = defineGuard(
  'sales.opportunity',
  ['create', 'update'],
  async (write, ctx) => {
    const { record, before, changed, set } = write
    set('currency', text(record['currency'])?.toUpperCase() ?? ctx.workspace.baseCurrency)
    const place = changed.has('stage') || changed.has('pipeline') || !before
    const pipeline = await pipelineOf(ctx, text(record['pipeline']) ?? (await pipelineOfStage(ctx, record['stage'])))
    const stage = stageIn(ctx, pipeline, record, before)
    set('pipeline', pipeline.id)
    set('stage', stage.id)
    set('status', stage.kind)
    followProbability(write, stage, place)
    await closing(write, ctx, pipeline, stage)
    if (place) await moved(write, ctx, pipeline, stage)
  },
  { independent: true },
)

async function pipelineOfStage(ctx: Context, stage: unknown): Promise<string | undefined> {
  if (text(stage) === undefined) return undefined
  const { rows } = await sql<{ pipeline: string }>`
    select pipeline_id as pipeline from sales.stage where workspace = ${ctx.workspace.id}::uuid and id = ${String(stage)}::uuid and deleted_at is null`.execute(
    ctx.sql,
  )
  return rows[0]?.pipeline
}

/** The stage it is to stand in; the pipeline's first where none is said, also after a change of pipeline. */
function stageIn(ctx: Context, pipeline: PipelineRow, record: RecordJson, before: RecordJson | undefined): StageRow {
  const wanted = text(record['stage'])
  const found = pipeline.stages.find(({ id }) => id === wanted)
  if (found) return found
  const leftBehind = before !== undefined && before['stage'] === wanted
  if (wanted !== undefined && !leftBehind) {
    const names = pipeline.stages.map(({ name }) => ctx.records.told('sales.stage', { name }, 'beside')['name'])
    const stages = names.filter((name) => name !== undefined).join(', ') || 'none'
    throw stageNotInPipeline({ stage: wanted, pipeline: nameOfPipeline(ctx, pipeline), stages })
  }
  return pipeline.stages.find(({ kind }) => kind === 'open') as StageRow
}

/** The stage's probability, unless somebody gave one; a closed opportunity is certain either way. */
function followProbability({ before, record, changed, set }: GuardedWrite, stage: StageRow, place: boolean): void {
  const given = changed.has('probability') && text(record['probability']) !== undefined
  if (stage.kind !== 'open') set('probability', stage.probability)
  else if (given) set('probabilityMode', 'manual')
  else if (text(record['probability']) === undefined || (place && record['probabilityMode'] !== 'manual')) {
    set('probability', stage.probability)
    set('probabilityMode', 'stage')
  } else if (before && before['status'] !== 'open') {
    set('probability', stage.probability)
    set('probabilityMode', 'stage')
  }
}

async function closing(
  { record, before, set }: GuardedWrite,
  ctx: Context,
  pipeline: PipelineRow,
  stage: StageRow,
): Promise<void> {
  const name = ctx.records.nameOf('sales.opportunity', record)
  if (
    before?.['status'] === 'won' &&
    stage.kind === 'open' &&
    ctx.cause.undoOf === undefined &&
    !ctx.authority.may(reopenOpportunity.id)
  ) {
    throw reopenDenied({ name, permission: reopenOpportunity.id })
  }
  if (stage.kind === 'open') {
    for (const field of ['closedOn', 'reason', 'reasonNote']) set(field, null)
    return
  }
  if (stage.kind === 'won' && text(record['account']) === undefined)
    throw wonNeedsAccount(
      { name },
      { errors: [{ path: '/account', code: 'WON_NEEDS_ACCOUNT', detail: `"${name}" has no account.` }] },
    )
  if (
    text(record['closedOn']) === undefined ||
    (before?.['status'] === 'open' && before['closedOn'] === record['closedOn'])
  )
    set('closedOn', ctx.clock.today())
  // An imported history is what it is: nobody can be asked for reasons of years ago.
  if (stage.kind === 'lost' && ctx.cause.origin !== 'import') await reasonGiven(record, ctx, pipeline)
}

async function reasonGiven(record: RecordJson, ctx: Context, pipeline: PipelineRow): Promise<void> {
  const reason = text(record['reason'])
  if (reason === undefined) {
    if (!pipeline.reasonRequired) return
    const name = ctx.records.nameOf('sales.opportunity', record)
    throw closeReasonRequired(
      { name, pipeline: nameOfPipeline(ctx, pipeline) },
      { errors: [{ path: '/reason', code: 'CLOSE_REASON_REQUIRED', detail: `Say why "${name}" is lost.` }] },
    )
  }
  const { rows } = await sql<{ label: string; needed: boolean }>`
    select label, note_required as needed from sales.reason where workspace = ${ctx.workspace.id}::uuid and id = ${reason}::uuid`.execute(
    ctx.sql,
  )
  const [row] = rows
  if (row?.needed && text(record['reasonNote']) === undefined) {
    const label = ctx.records.nameOf('sales.reason', { label: row.label }, 'beside')
    throw closeNoteRequired(
      { reason: label },
      { errors: [{ path: '/reasonNote', code: 'CLOSE_NOTE_REQUIRED', detail: `"${label}" asks for a note.` }] },
    )
  }
}

/** Keeps the visit and tells it. An undone move takes its visit back and is told by nobody. */
async function moved(
  { before, record, set }: GuardedWrite,
  ctx: Context,
  pipeline: PipelineRow,
  stage: StageRow,
): Promise<void> {
  const at = ctx.clock.now().toISOString()
  if (before && before['stage'] === stage.id) return
  if (before && ctx.cause.undoOf !== undefined) {
    const since = await leaveAsIfNever(ctx, record.id, String(before['stage']), stage.id)
    if (since !== undefined) {
      set('stageEnteredAt', since)
      return
    }
  }
  const from = pipeline.stages.find(({ id }) => id === before?.['stage'])
  const move = moveBetween(pipeline, from, stage)
  await enterStage(ctx, record.id, stage, move, at)
  set('stageEnteredAt', at)
  if (ctx.cause.origin === 'import') return
  if (from && move.direction !== 'entered') {
    ctx.emit(
      OpportunityMoved,
      { opportunity: record.id, from: from.id, to: stage.id, direction: move.direction, skipped: move.skipped },
      { key: record.id },
    )
  }
  tellClosing(ctx, record, before, stage)
}

function tellClosing(ctx: Context, record: RecordJson, before: RecordJson | undefined, stage: StageRow): void {
  const { id } = record
  if (stage.kind === 'open') {
    if (before && before['status'] !== 'open') ctx.emit(OpportunityReopened, { opportunity: id }, { key: id })
    return
  }
  const told = {
    opportunity: id,
    account: text(record['account']) ?? null,
    amount: text(record['amount']) ?? null,
    currency: String(record['currency']),
    on: String(record['closedOn']),
  }
  if (stage.kind === 'won') ctx.emit(OpportunityWon, told, { key: id })
  else ctx.emit(OpportunityLost, { ...told, reason: text(record['reason']) ?? null }, { key: id })
}

/** A stage with opportunities in it stays; where they go is for somebody to decide. */
const stageIsFree = defineGuard('sales.stage', ['delete'], async ({ record }, ctx) => {
  const { rows } = await sql<{ n: number }>`
    select count(*) as n from sales.opportunity
    where workspace = ${ctx.workspace.id}::uuid and stage_id = ${record.id}::uuid and deleted_at is null`.execute(
    ctx.sql,
  )
  const count = rows[0]?.n ?? 0
  if (count > 0) throw stageInUse({ stage: ctx.records.nameOf('sales.stage', record), count })
})

export const guards: readonly GuardDefinition[] = [opportunityStands, stageIsFree]
