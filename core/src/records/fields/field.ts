import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../record-base.ts'

export const FieldSchema = defineEntity({
  name: 'Field',
  schema: 'core',
  tableName: 'field',
  properties: {
    ...recordBase(),
    /** Id of the resource it belongs to, `core.account`. */
    resource: p.string().length(120),
    name: p.string().length(60),
    type: p.string(),
    labelEn: p.string().length(120),
    labelFr: p.string().length(120),
    helpEn: p.string().length(500).nullable(),
    helpFr: p.string().length(500).nullable(),
    options: p.json<unknown>().nullable(),
    target: p.string().length(120).nullable(),
    currency: p.string().length(60).nullable(),
    scale: p.integer().nullable(),
    min: p.decimal().nullable(),
    max: p.decimal().nullable(),
    maxLength: p.integer().nullable(),
    required: p.boolean().default(false),
    requiredIf: p.text().nullable(),
    shownIf: p.text().nullable(),
    unique: p.boolean().default(false).fieldName('is_unique'),
    indexed: p.boolean().default(false),
    indexState: p.string().nullable(),
    indexFault: p.string().nullable(),
    /** What a new record starts with: a text as it is, else JSON. */
    initial: p.text().nullable(),
    formula: p.text().nullable(),
    prefix: p.string().length(20).nullable(),
    position: p.integer().default(0),
    archived: p.boolean().default(false),
  },
})

/** A field that a workspace gave one of its resources. */
export class Field extends FieldSchema.class {}
FieldSchema.setClass(Field)
