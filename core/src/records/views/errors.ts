import { defineError } from '../../errors.ts'

export type ViewRule = 'field' | 'type' | 'resource' | 'groupBy' | 'startField' | 'role'

const rules: Readonly<Record<ViewRule, (of: string) => string>> = {
  field: (resource) => `${resource} has no such field`,
  type: (types) => `it takes a field of type ${types}`,
  resource: () => 'it is a kind of record you may see',
  groupBy: () => 'a board needs the field its columns are made of',
  startField: () => 'a calendar needs the date it goes by',
  role: () => 'say which role starts with it',
}

/** `of` is what the rule speaks of: the kind of record, or the types it takes. */
export const viewInvalid = defineError<{ part: string; value: string; rule: ViewRule; of: string }>(
  'VIEW_INVALID',
  422,
  ({ part, value, rule, of }) => `"${value}" cannot be the ${part} of this view: ${rules[rule](of)}.`,
)

export const viewOfRoleTaken = defineError<{ name: string }>(
  'VIEW_OF_ROLE_TAKEN',
  409,
  ({ name }) => `This role already starts with the view "${name}". Share that one plainly first, or change it instead.`,
)
