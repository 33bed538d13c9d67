import type { Cause, Context } from '../context.ts'
import type { UnitLimit } from '../unit-end.ts'

/** Somebody work goes on for after their request: a user, or a program by its API key. */
export interface Starter {
  readonly type: 'user' | 'key'
  readonly id: string
}

/** Which unit of work is wanted: where, for which plugin, why, and as whom. */
export interface UnitRequest {
  readonly workspace: string
  readonly plugin: string
  readonly cause: Cause
  /** Whose rights the unit has, as they are when it begins; without one it has the plugin's own, which are all. */
  readonly actor?: Starter
  readonly signal?: AbortSignal
  readonly limit?: UnitLimit
  /** The plugin is on its way on or off; see `UnitSpec`. */
  readonly own?: boolean
}

/** Opens one unit of work outside any request: commits when `work` resolves, undoes everything when it throws. */
export type RunUnit = <T>(unit: UnitRequest, work: (ctx: Context) => Promise<T>) => Promise<T>
