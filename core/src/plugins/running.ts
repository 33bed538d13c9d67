import { AsyncLocalStorage } from 'node:async_hooks'

/** For whom code runs. */
export interface Running {
  readonly plugin: string
  /** Absent while it is loaded. */
  readonly workspace?: string
}

/** Follows whatever a plugin's code begins, so that what fails long after its request is known to be its fault. */
export const running = new AsyncLocalStorage<Running>()
