import { defineError } from '../../errors.ts'

export const formulaCycle = defineError<{ of: 'formula'; path: string }>(
  'CYCLE_REFUSED',
  409,
  ({ path }) =>
    `The formula would be computed from itself: ${path}. Take one of these fields out of the other’s formula.`,
)

export const fieldFixed = defineError<{ name: string; property: string }>(
  'FIELD_FIXED',
  409,
  ({ name, property }) =>
    `The ${property} of "${name}" stays as it was made, because values are kept under it. Archive the field and make another.`,
)

export const fieldInUse = defineError<{ name: string; by: string }>(
  'FIELD_IN_USE',
  409,
  ({ name, by }) => `"${name}" is needed as it is by ${by}. Change that first.`,
)

export const fieldNotOwn = defineError<{ resource: string }>(
  'RESOURCE_CLOSED',
  422,
  ({ resource }) => `"${resource}" takes no fields of your own. Choose a kind of record that people create and edit.`,
)

export const fieldsFull = defineError<{ resource: string; limit: number }>(
  'FIELDS_FULL',
  422,
  ({ resource, limit }) =>
    `${resource} has ${limit} fields of its own already. Archived ones count: delete what nobody needs.`,
)
