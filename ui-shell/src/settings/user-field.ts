import type { FieldMeta } from '@socle/sdk/ui'

/** A field of a form in which a person is looked for by name. */
export function userField(name: string, label: string): FieldMeta {
  return { name, type: 'user', target: 'core.user', label, required: false, writable: true, sortable: false }
}

/** A field of a form in which the account is looked for that somebody stands for. */
export function accountField(name: string, label: string): FieldMeta {
  return { name, type: 'reference', target: 'core.account', label, required: false, writable: true, sortable: false }
}
