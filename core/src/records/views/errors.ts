import { defineError } from '../../errors.ts'

export const viewInvalid = defineError<{ part: string; value: string; expected: string }>(
  'VIEW_INVALID',
  422,
  ({ part, value, expected }) => `"${value}" cannot be the ${part} of this view: ${expected}.`,
)

export const viewOfRoleTaken = defineError<{ name: string }>(
  'VIEW_OF_ROLE_TAKEN',
  409,
  ({ name }) => `This role already starts with the view "${name}". Share that one plainly first, or change it instead.`,
)
