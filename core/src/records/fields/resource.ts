import { defineResource } from '../define-resource.ts'
import type { FieldType } from '../model.ts'
import { Field } from './field.ts'

/** The types a workspace may give a field of its own. */
export const ownTypes = [
  'text',
  'long',
  'rich',
  'integer',
  'decimal',
  'money',
  'percent',
  'boolean',
  'date',
  'instant',
  'duration',
  'select',
  'multi-select',
  'email',
  'phone',
  'url',
  'user',
  'reference',
  'address',
  'auto-number',
] as const satisfies readonly FieldType[]

export type OwnType = (typeof ownTypes)[number]

export const fields = defineResource(Field, {
  path: 'fields',
  title: 'name',
  icon: 'text-cursor-input',
  nav: false,
  fields: {
    type: { format: 'select', options: [...ownTypes] },
    options: { format: 'json' },
    scale: { min: 0, max: 8 },
    maxLength: { min: 1 },
    requiredIf: { format: 'long' },
    shownIf: { format: 'long' },
    formula: { format: 'long' },
    indexState: {
      format: 'select',
      readonly: true,
      options: [
        { value: 'building', tone: 'info', icon: 'loader' },
        { value: 'ready', tone: 'success', icon: 'circle-check' },
        { value: 'failed', tone: 'danger', icon: 'circle-alert' },
      ],
    },
    indexFault: { format: 'select', readonly: true, options: ['doubled', 'refused'] },
    position: { min: 0 },
  },
  list: ['resource', 'name', 'type', 'labelEn', 'labelFr', 'required', 'indexState', 'archived'],
  form: ['resource', 'name', 'type', 'labelEn', 'labelFr'],
  sort: 'position',
})
