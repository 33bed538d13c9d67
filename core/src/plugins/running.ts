import { AsyncLocalStorage } from 'node:async_hooks'

/** A plugin whose code another's unit of work waits for. */
export interface Guest {
  readonly plugin: string
  /** By `performance.now()`. */
  readonly since: number
}

/** For whom code runs. */
export interface Running {
  readonly plugin: string
  /** Absent while it is loaded. */
  readonly workspace?: string
  /** Of a unit of work: whom it waits for, the innermost last. */
  readonly guests?: Guest[]
}

/** Follows whatever a plugin's code begins, so that what fails long after its request is known to be its fault. */
export const running = new AsyncLocalStorage<Running>()
