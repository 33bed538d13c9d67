import type { Cause, Context } from '../context.ts'
import type { Starter } from '../events/run-unit.ts'

export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled'

/** Background work as its handler gets it. */
export interface Job<P = unknown> {
  readonly id: string
  readonly workspace: string
  /** `<plugin>.<noun>`, e.g. `core.import`. */
  readonly kind: string
  readonly payload: P
  /** How far an earlier run came, 0 at first: go on from there. */
  readonly progress: number
  readonly total: number | undefined
  /** Who started it; nobody when a plugin or a schedule did. */
  readonly actor: Starter | undefined
}

/** What a handler works with. It has no transaction of its own: each chunk is a unit of work. */
export interface JobTools {
  /** Aborted when the job is cancelled or paused, its plugin is disabled or the process stops. */
  readonly signal: AbortSignal
  /** One unit of work in the job's workspace, with the rights of who started the job, else as the plugin. */
  unit<T>(work: (ctx: Context) => Promise<T>, cause?: Partial<Cause>): Promise<T>
  /**
   * Keeps how far the job is. With the `ctx` of a chunk it commits with that chunk, so that a job that is started again
   * after a crash repeats nothing and skips nothing. Without a number it only asks whether the job is still this run's.
   *
   * @throws `JOB_INTERRUPTED` when the job was cancelled or paused, or another process has taken it over
   */
  progress(done?: number, total?: number, ctx?: Context): Promise<void>
}

/** Does the work; what it returns is kept as the job's result. A refusal fails the job at once, any other error is tried again. */
export type JobHandler<P = never> = (job: Job<P>, tools: JobTools) => Promise<unknown>

/** What people are shown of a failure. */
export interface JobFault {
  readonly code: string
  readonly detail: string
}

/** Told that a job failed for good, in a unit of work of the plugin's own. */
export type JobFailing<P = never> = (ctx: Context, job: Job<P>, fault: JobFault) => Promise<unknown>

export interface JobRequest {
  readonly workspace: string
  readonly kind: string
  readonly payload?: Readonly<Record<string, unknown>>
  /** While a job of this kind and key is unfinished, no second one is made. */
  readonly key?: string | undefined
  /** Who starts it, where no unit of work tells. */
  readonly actor?: Starter | undefined
}
