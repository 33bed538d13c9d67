import type { Cause, Context } from '../context.ts'

/** Which unit of work is wanted: where, for which plugin, why, and as whom. */
export interface UnitRequest {
  readonly workspace: string
  readonly plugin: string
  readonly cause: Cause
  /** Id of the user whose rights the unit has; without one it has the plugin's own, which are all. */
  readonly actor?: string
  readonly signal?: AbortSignal
}

/** Opens one unit of work outside any request: commits when `work` resolves, undoes everything when it throws. */
export type RunUnit = <T>(unit: UnitRequest, work: (ctx: Context) => Promise<T>) => Promise<T>
