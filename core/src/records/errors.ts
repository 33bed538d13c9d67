import { defineError } from '../errors.ts'

export const recordNotFound = defineError<{ resource: string; id: string }>(
  'RECORD_NOT_FOUND',
  404,
  ({ resource, id }) => `There is no ${resource} "${id}" that you may see. Check the address, or search for it.`,
)

export const validationFailed = defineError<{ count: number; first: string }>(
  'VALIDATION_FAILED',
  422,
  ({ count, first }) => (count === 1 ? first : `${count} values cannot be kept. ${first}`),
)

export const versionRequired = defineError<{ resource: string; id: string }>(
  'VERSION_REQUIRED',
  428,
  ({ resource, id }) =>
    `Say which version of ${resource} "${id}" you saw, by "version" in the body or the If-Match header, so that nobody's change is lost.`,
)

export const versionConflict = defineError<{
  resource: string
  id: string
  fields: string
  yours: number
  current: number
}>(
  'VERSION_CONFLICT',
  409,
  ({ fields, yours, current }) =>
    `${fields} changed since version ${yours}; the record is at version ${current}. Keep yours, take theirs, or edit, and send version ${current}.`,
)

export const valueTaken = defineError<{ field: string; value: string }>('VALUE_TAKEN', 409, ({ field, value }) =>
  field === 'id'
    ? `The id "${value}" is taken by a record. Leave it out, or make another one; a record that was sent before is there already.`
    : `"${value}" is already taken for ${field}. Choose another value, or open the record that has it.`,
)

export const cursorInvalid = defineError<{ cursor: string }>(
  'CURSOR_INVALID',
  400,
  ({ cursor }) => `The cursor "${cursor}" does not belong to this query. Start again from the first page.`,
)

export const queryInvalid = defineError<{ parameter: string; value: string; expected: string }>(
  'QUERY_INVALID',
  400,
  ({ parameter, value, expected }) => `"${value}" cannot be used for ${parameter}: ${expected}.`,
)

export const warningNotAcknowledged = defineError<{ code: string; sentence: string }>(
  'WARNING_NOT_ACKNOWLEDGED',
  409,
  ({ code, sentence }) => `${sentence} To go on all the same, send "acknowledge": ["${code}"].`,
)

export const bulkTooLarge = defineError<{ rows: number; limit: number }>(
  'BULK_TOO_LARGE',
  422,
  ({ rows, limit }) =>
    `${rows} rows are more than the ${limit} one request may change. Send them in parts, or narrow the filter.`,
)

export const asOfUnknown = defineError<{ instant: string; since: string }>(
  'AS_OF_UNKNOWN',
  422,
  ({ instant, since }) =>
    `What was at ${instant} is no longer kept. Records can be read as of any instant since ${since}.`,
)

export const bulkNotFound = defineError<{ id: string }>(
  'BULK_NOT_FOUND',
  404,
  ({ id }) => `There is no bulk change "${id}" that you started.`,
)

export const bulkRunning = defineError<{ id: string }>(
  'BULK_RUNNING',
  409,
  ({ id }) => `Bulk change "${id}" is still at work. Wait for its end, or cancel it first.`,
)

export const undoConflict = defineError<{ changeSet: string; fields: string; refused: number }>(
  'UNDO_CONFLICT',
  409,
  ({ changeSet, fields, refused }) =>
    refused === 0
      ? `Nothing of change ${changeSet} is left to undo: ${fields} changed since. Edit the records instead.`
      : `Nothing of change ${changeSet} can be undone: ${refused === 1 ? 'one record does' : `${refused} records do`} not allow it, each for the reason listed. Edit the records instead.`,
)

export const changeSetNotFound = defineError<{ id: string }>(
  'CHANGE_SET_NOT_FOUND',
  404,
  ({ id }) => `There is no change "${id}" that you may undo. Look it up in the record's history.`,
)

export const referenceInUse = defineError<{ resource: string; id: string; by: string }>(
  'RECORD_IN_USE',
  409,
  ({ resource, id, by }) => `${resource} "${id}" is still used by ${by}. Change or delete what uses it first.`,
)

export const recordChangedSince = defineError<{ resource: string }>(
  'RECORD_CHANGED_SINCE',
  409,
  () => 'It was changed since, so it stays. Its history says what was changed; correct it by hand.',
)

export const recordUsedSince = defineError<{ resource: string }>(
  'RECORD_USED_SINCE',
  409,
  () => 'Other records refer to it, so it stays. Change or delete those first, then delete it by hand.',
)

export const recordGone = defineError<{ resource: string }>(
  'RECORD_GONE',
  409,
  () => 'It was deleted since, or its module is off, so nothing of it was taken back.',
)
