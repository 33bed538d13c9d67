import { z } from 'zod'

/** How exactly a page says how many there are. */
export const count = z.enum(['estimate', 'exact', 'none'])
// Text or AST: the expression language reads it and says what is wrong with it, and where.
const filter = z.unknown()
const names = z.array(z.string()).max(100)

/** A page of records, asked in JSON. */
export const queryBody = z.strictObject({
  filter: filter.optional(),
  q: z.string().max(500).optional(),
  sort: z.string().max(500).optional(),
  limit: z.number().optional(),
  after: z.string().max(4_000).optional(),
  fields: names.optional(),
  include: names.optional(),
  count: count.optional(),
  deleted: z.literal('only').optional(),
  view: z.uuid().optional(),
  asOf: z.string().max(40).optional(),
})
/** `measures` are `count`, `sum:<field>`, `avg:<field>`, `min:<field>` or `max:<field>`. */
export const aggregateBody = z.strictObject({
  filter: filter.optional(),
  q: z.string().max(500).optional(),
  groupBy: names.optional(),
  measures: names,
  asOf: z.string().max(40).optional(),
})
/** Columns of a board, by the values of one field. */
export const boardBody = z.strictObject({
  by: z.string().max(120),
  filter: filter.optional(),
  q: z.string().max(500).optional(),
  sort: z.string().max(500).optional(),
  limit: z.number().optional(),
  fields: names.optional(),
  include: names.optional(),
  measures: names.optional(),
  columns: z.array(z.string().max(120).nullable()).optional(),
  asOf: z.string().max(40).optional(),
})
const target = z.looseObject({ id: z.uuid(), version: z.int() })
/** Rows that each bring their change, or one change for what a filter finds or for named records. */
export const bulkBody = z.strictObject({
  create: z.array(z.record(z.string(), z.unknown())).optional(),
  update: z.array(target).optional(),
  delete: z.union([z.array(target), z.literal(true)]).optional(),
  filter: filter.optional(),
  set: z.record(z.string(), z.unknown()).optional(),
  q: z.string().max(500).optional(),
  ids: z.array(z.uuid()).max(100_000).optional(),
  restore: z.literal(true).optional(),
  /** Shows what it would do, and does it when it is started. */
  preview: z.boolean().optional(),
  /** As a job, whatever the number of rows. */
  background: z.boolean().optional(),
  atomic: z.boolean().optional(),
  acknowledge: z.array(z.string()).optional(),
})
/** Which masked value, and why. */
export const unmaskBody = z.strictObject({ field: z.string().max(120), reason: z.string().trim().min(3).max(500) })
/** Which list is asked why it shows a record. */
export const whyQuery = z.strictObject({
  filter: z.string().optional(),
  q: z.string().max(500).optional(),
  view: z.uuid().optional(),
  asOf: z.string().max(40).optional(),
})
