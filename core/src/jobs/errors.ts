import { defineError } from '../errors.ts'

export const jobNotFound = defineError<{ id: string }>(
  'JOB_NOT_FOUND',
  404,
  ({ id }) => `There is no job ${id} that you started or may manage.`,
)

export const jobFinished = defineError<{ kind: string; state: string }>(
  'JOB_FINISHED',
  409,
  ({ kind, state }) => `This ${kind} is ${state} already, so there is nothing left to stop.`,
)

export const jobNotPaused = defineError<{ kind: string; state: string }>(
  'JOB_NOT_PAUSED',
  409,
  ({ kind, state }) => `This ${kind} is ${state}, not paused, so it cannot go on from there.`,
)

export const jobGaveUp = defineError<{ kind: string; attempts: number }>(
  'JOB_GAVE_UP',
  500,
  ({ kind, attempts }) =>
    `${kind} was started ${attempts} times and never came to its end. Look into the log before starting it again.`,
)

/** Why a running job is told to stop; the job's own code need not catch it. */
export const jobInterrupted = defineError<{
  id: string
  why: 'cancelled' | 'paused' | 'taken over' | 'stopping' | 'plugin disabled' | 'plugin gone'
}>('JOB_INTERRUPTED', 409, ({ id, why }) => `Job ${id} was interrupted: ${why}.`)
