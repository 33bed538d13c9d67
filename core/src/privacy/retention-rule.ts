import { defineEntity, p } from '@mikro-orm/core'
import { defineResource } from '../records/define-resource.ts'
import { forPrivacy } from './permissions.ts'
import { recordBase } from '../records/record-base.ts'

export const RetentionRuleSchema = defineEntity({
  name: 'RetentionRule',
  schema: 'core',
  tableName: 'retention_rule',
  properties: {
    ...recordBase(),
    name: p.string().length(120),
    resource: p.string().length(120),
    condition: p.text(),
    action: p.string().$type<'delete' | 'anonymise'>(),
    graceDays: p.integer().default(30),
    active: p.boolean().default(false),
    // Of what was rehearsed last: a rule is switched on with what somebody looked at, and with nothing else.
    rehearsed: p.text().nullable(),
    fault: p.text().nullable(),
    lastRunAt: p.datetime().nullable(),
  },
})

/** How long a kind of record is kept, and what becomes of it then. */
export class RetentionRule extends RetentionRuleSchema.class {}
RetentionRuleSchema.setClass(RetentionRule)

// Written only by the routes beside: who may create records of any kind may not decide which of them end.
export const retentionRules = defineResource(RetentionRule, {
  path: 'privacy/retention-rules',
  title: 'name',
  icon: 'clock',
  nav: false,
  readonly: true,
  audience: forPrivacy,
  fields: {
    condition: { format: 'long' },
    rehearsed: { hidden: true },
    action: { format: 'select', options: ['delete', 'anonymise'] },
    graceDays: { min: 0, max: 3650 },
  },
  list: ['name', 'resource', 'action', 'graceDays', 'active', 'lastRunAt'],
  sort: 'name',
})
