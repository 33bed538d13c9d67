import { defineEntity, p } from '@mikro-orm/core'
import { Role } from '../../identity/entities/role.ts'
import { recordBase } from '../record-base.ts'

/** How a list is drawn. */
export type ViewKind = 'table' | 'kanban' | 'calendar'

/** Whose it is: private, for everybody, or what the holders of a role start with. */
export type ViewScope = 'mine' | 'shared' | 'role'

/** A column of a table, and its width in pixels where somebody set one. */
export interface ViewColumn {
  readonly field: string
  readonly width?: number
}

export const ViewSchema = defineEntity({
  name: 'View',
  schema: 'core',
  tableName: 'view',
  properties: {
    ...recordBase(),
    /** Resource id whose records it shows. */
    resource: p.string().length(120),
    name: p.string().length(120),
    kind: p.string().$type<ViewKind>().default('table'),
    scope: p.string().$type<ViewScope>().default('mine'),
    role: () => p.manyToOne(Role).nullable(),
    /** Text form of the expression language. */
    filter: p.text().nullable(),
    q: p.string().length(500).nullable(),
    sort: p.string().length(500).nullable(),
    columns: p.json<readonly ViewColumn[]>().nullable(),
    /** Field whose values are the columns of a board. */
    groupBy: p.string().length(120).nullable(),
    /** Fields shown on a card. */
    card: p.json<readonly string[]>().nullable(),
    /** Fields added up in the heads of a board. */
    sums: p.json<readonly string[]>().nullable(),
    /** Date or instant that places a record in a calendar, and the one it lasts until. */
    startField: p.string().length(120).nullable(),
    endField: p.string().length(120).nullable(),
    density: p.string().$type<'compact' | 'normal' | 'comfortable'>().default('normal'),
    position: p.integer().default(0),
  },
})

/** A saved way to look at the records of one resource. */
export class View extends ViewSchema.class {}
ViewSchema.setClass(View)
