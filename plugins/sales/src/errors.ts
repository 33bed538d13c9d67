import { defineError } from '@socle/sdk'

export const closeReasonRequired = defineError<{ name: string; pipeline: string }>(
  'CLOSE_REASON_REQUIRED',
  422,
  ({ name, pipeline }) => `Say why "${name}" is lost: the pipeline "${pipeline}" asks for a reason.`,
)

export const closeNoteRequired = defineError<{ reason: string }>(
  'CLOSE_NOTE_REQUIRED',
  422,
  ({ reason }) => `The reason "${reason}" asks for a note. Add one or two words on what happened.`,
)

export const wonNeedsAccount = defineError<{ name: string }>(
  'WON_NEEDS_ACCOUNT',
  422,
  ({ name }) => `"${name}" cannot be won without an account. Choose the account it was won from.`,
)

/** `stages` are the names of those the reader may read, `none` where they may read none. */
export const stageNotInPipeline = defineError<{ stage: string; pipeline: string; stages: string }>(
  'STAGE_NOT_IN_PIPELINE',
  422,
  ({ stage, pipeline, stages }) =>
    `Stage "${stage}" is not in pipeline ${pipeline}. ${stages === 'none' ? 'Choose one of its own.' : `Its stages are ${stages}.`}`,
)

export const pipelineIncomplete = defineError<{ pipeline: string }>(
  'PIPELINE_INCOMPLETE',
  422,
  ({ pipeline }) =>
    `Pipeline "${pipeline}" needs exactly one stage for won, one for lost and at least one before them. Add what is missing first.`,
)

export const pipelineMissing = defineError(
  'PIPELINE_MISSING',
  422,
  () => 'There is no pipeline yet. Make one with its stages first.',
)

export const stageInUse = defineError<{ stage: string; count: number }>(
  'STAGE_IN_USE',
  409,
  ({ stage, count }) => `${count} opportunities stand in "${stage}". Move them to another stage first.`,
)

export const reopenDenied = defineError<{ name: string; permission: string }>(
  'REOPEN_DENIED',
  403,
  ({ name, permission }) =>
    `"${name}" is won. Reopening it needs the permission ${permission}, which your administrator can grant in Roles.`,
)
