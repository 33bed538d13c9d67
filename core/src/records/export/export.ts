import { defineEntity, p } from '@mikro-orm/core'
import { sql, type SqlBool } from 'kysely'
import type { Audience } from '../audience.ts'
import { defineResource } from '../define-resource.ts'
import { recordBase } from '../record-base.ts'

export const ExportSchema = defineEntity({
  name: 'Export',
  schema: 'core',
  tableName: 'export',
  properties: {
    ...recordBase(),
    name: p.string().length(250),
    resource: p.string().length(120),
    format: p.string().length(20),
    filter: p.text().nullable(),
    query: p.json<ExportQuery>(),
    columns: p.json<readonly string[]>(),
    rows: p.integer().nullable(),
    size: p.bigint().$type<number>().nullable(),
    finishedAt: p.datetime().nullable(),
    expiresAt: p.datetime().nullable(),
  },
})

/** Records that somebody carried out of the house: which, in what form and how many. */
export class Export extends ExportSchema.class {}
ExportSchema.setClass(Export)

/** Which records are carried out, and how they are written. */
export interface ExportQuery {
  readonly filter?: unknown
  readonly q?: string
  readonly sort?: string
  readonly deleted?: 'only'
  /** Only these of them. */
  readonly ids?: readonly string[]
  /** The records as they were at this instant. */
  readonly asOf?: string
  readonly fields: readonly string[]
  /** Names and choices as people read them, or as the API has them. */
  readonly heads: 'labels' | 'names'
  readonly delimiter: ',' | ';'
}

/** One's own; those of others are for whoever reads the audit. */
const readersOfExports: Audience = ({ me, may }, _, alias) =>
  may('core.audit.read')
    ? sql<SqlBool>`true`
    : me === undefined
      ? sql<SqlBool>`false`
      : sql<SqlBool>`coalesce(${sql.ref(`${alias}.owner`)} = ${me}::uuid, false)`

export const exportLog = defineResource(Export, {
  // `/exports` are one's own, with their files.
  path: 'export-log',
  title: 'name',
  icon: 'download',
  nav: false,
  readonly: true,
  audience: readersOfExports,
  partner: { person: 'owner' },
  list: ['name', 'resource', 'format', 'rows', 'owner', 'createdAt'],
})
