import { defineEntity, p } from '@mikro-orm/core'
import type { DuplicateStrictness, Locale, WorkspaceLabels } from '../../actor.ts'
import { recordBase } from '../../records/record-base.ts'

export const WorkspaceSchema = defineEntity({
  name: 'Workspace',
  schema: 'core',
  tableName: 'workspace',
  properties: {
    ...recordBase(),
    name: p.string().length(200),
    slug: p.string().length(60),
    locale: p.string().$type<Locale>(),
    zone: p.string().length(60),
    baseCurrency: p.string().length(3),
    fiscalMonth: p.integer().default(1),
    ledgerMonths: p.integer().default(36),
    eventDays: p.integer().default(30),
    labels: p.json<WorkspaceLabels>().default('{}'),
    secondFactor: p.string().$type<'optional' | 'required'>().default('optional'),
    duplicateStrictness: p.string().$type<DuplicateStrictness>().default('usual'),
  },
})

/** One company's settings: a record of itself, the only one of its kind that anybody there can reach. */
export class WorkspaceRecord extends WorkspaceSchema.class {}
WorkspaceSchema.setClass(WorkspaceRecord)
