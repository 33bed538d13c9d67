import { defineError } from '../../errors.ts'

export const duplicateSuspected = defineError<{ title: string; count: number }>(
  'DUPLICATE_SUSPECTED',
  409,
  ({ title, count }) =>
    count === 1
      ? `"${title}" looks like the same. Open it, or send "allowDuplicate": true to create another.`
      : `"${title}" and ${count - 1} more look like the same. Open them, or send "allowDuplicate": true to create another.`,
)

export const duplicatesUndeclared = defineError<{ resource: string }>(
  'DUPLICATES_UNDECLARED',
  422,
  ({ resource }) =>
    `Nothing says what makes two records of ${resource} suspect, so none can be looked for. A plugin may contribute it to core/duplicate-keys@1.`,
)
