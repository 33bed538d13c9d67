import { defineError } from '../../errors.ts'

export const recordMerged = defineError<{ resource: string; id: string; survivor: string; title: string }>(
  'RECORD_MERGED',
  409,
  ({ resource, id, survivor, title }) =>
    `${resource} "${id}" was merged into "${title}" (${survivor}). Write to that one, or undo the merge.`,
)

export const relationUnmapped = defineError<{ places: string; resource: string }>(
  'RELATION_UNMAPPED',
  409,
  ({ places, resource }) =>
    `Nothing says how ${places} follows when records of ${resource} are merged, so it would be forgotten. The module it belongs to must declare it.`,
)

export const mergeSize = defineError<{ count: number }>(
  'MERGE_SIZE',
  422,
  ({ count }) => `${count} different records cannot be merged at once. Choose 2 to 20 of them.`,
)

export const mergeChoiceInvalid = defineError<{ field: string; value: string }>(
  'MERGE_CHOICE_INVALID',
  422,
  ({ field, value }) =>
    `"${value}" cannot be chosen for ${field}: name one of the merged records for a field that may be written.`,
)

export const mergeBlocked = defineError<{ what: string; reason: string }>(
  'MERGE_BLOCKED',
  409,
  ({ what, reason }) => `${what} does not let itself be moved: ${reason}. Correct that first, or leave the record out.`,
)

export const mergeNotFound = defineError<{ id: string }>(
  'MERGE_NOT_FOUND',
  404,
  ({ id }) => `There is no merge "${id}" that you may see. Look it up on the record that stayed.`,
)

export const mergeUndone = defineError<{ id: string; at: string }>(
  'MERGE_UNDONE',
  409,
  ({ id, at }) => `Merge ${id} was undone already, on ${at}. Merge the records again if they are one after all.`,
)
