import { sql, type Context } from '@socle/sdk'
import { pipelineIncomplete, pipelineMissing } from './errors.ts'

/** A stage as the rules of opportunities need it. */
export interface StageRow {
  readonly id: string
  readonly pipeline: string
  readonly name: string
  readonly position: number
  /** Decimal string, 0 to 100. */
  readonly probability: string
  readonly kind: 'open' | 'won' | 'lost'
}

export interface PipelineRow {
  readonly id: string
  readonly name: string
  readonly reasonRequired: boolean
  readonly stages: readonly StageRow[]
}

/**
 * A pipeline with its stages in order; the workspace's first one when none is named.
 *
 * @throws `PIPELINE_MISSING`, `PIPELINE_INCOMPLETE` (422)
 */
export async function pipelineOf(ctx: Context, id?: string): Promise<PipelineRow> {
  const { rows } = await sql<PipelineRow>`
    select p.id, p.name, p.reason_required as "reasonRequired", (
      select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'pipeline', p.id, 'name', s.name, 'position', s.position,
        'probability', s.probability::text, 'kind', s.kind) order by s.position, s.id), '[]')
      from sales.stage s where s.workspace = p.workspace and s.pipeline_id = p.id and s.deleted_at is null) as stages
    from sales.pipeline p
    where p.workspace = ${ctx.workspace.id}::uuid and p.deleted_at is null ${id === undefined ? sql`` : sql`and p.id = ${id}::uuid`}
    order by p.position, p.created_at, p.id limit 1`.execute(ctx.sql)
  const [pipeline] = rows
  if (!pipeline) throw pipelineMissing({})
  const closing = pipeline.stages.filter(({ kind }) => kind !== 'open')
  if (closing.length !== 2 || closing.length === pipeline.stages.length)
    throw pipelineIncomplete({ pipeline: nameOfPipeline(ctx, pipeline) })
  return pipeline
}

/** What a refusal calls a pipeline, which whoever hears it may not read. */
export function nameOfPipeline({ records }: Context, { name }: PipelineRow): string {
  return records.nameOf('sales.pipeline', { name }, 'beside')
}
