import type { JobHandler } from '../../jobs/job.ts'
import { requestJob } from '../../jobs/index.ts'
import type { JobDefinition } from '../../plugins/define-plugin.ts'
import type { Context } from '../../context.ts'
import type { RecordEngine } from '../engine.ts'
import type { Resource } from '../registry.ts'
import { DuplicateKeys } from './duplicate-key.ts'

export const scanKind = 'core.duplicate-scan'

export interface ScanPayload {
  readonly resource: string
}

/** Asks for the scan of one resource; while one is under way, that one goes on. */
export async function requestScan(ctx: Context, resource: string): Promise<string> {
  return requestJob(ctx, { kind: scanKind, key: resource, payload: { resource } })
}

/** Compares a resource's records, chunk by chunk; each chunk's marks go with its pairs, so a killed scan goes on. */
export const runScan: JobHandler<ScanPayload> = async ({ payload: { resource } }, { unit, progress }) => {
  const engine = (ctx: Context) => ctx.records as RecordEngine
  const left = await unit((ctx) => engine(ctx).leftToScan(resource))
  let compared = 0
  for (;;) {
    const { done, count } = await unit((ctx) => engine(ctx).scanStep(resource))
    if (done) return { compared }
    compared += count
    await progress(compared, Math.max(left, compared))
  }
}

/** Every night, for each resource something says duplicates of. */
export function nightlyScan(catalog: (workspace: string) => { all(): readonly Resource[] }): JobDefinition {
  return {
    id: 'nightly-duplicate-scan',
    schedule: '30 2 * * *',
    async run(ctx) {
      const declared = catalog(ctx.workspace.id)
        .all()
        .filter(({ options }) => (options.duplicates ?? []).length > 0)
        .map(({ id }) => id)
      const contributed = ctx.contributions(DuplicateKeys).map(({ resource }) => resource)
      for (const resource of new Set([...declared, ...contributed])) await requestScan(ctx, resource)
    },
  }
}
