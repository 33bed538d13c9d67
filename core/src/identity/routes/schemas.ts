import { z } from 'zod'
import { fieldGrantSchema, grantSchema } from '../../permissions/grant.ts'

export const byId = z.object({ id: z.uuid() })
export const name = z.string().trim().min(1).max(120)
export const wantedRole = z.union([
  z.uuid().transform((role) => ({ role })),
  z.object({ role: z.uuid(), until: z.iso.datetime({ offset: true }).nullable().default(null) }),
])
export const grants = z.array(grantSchema).max(2_000)
export const fieldGrants = z.array(fieldGrantSchema).max(5_000)
export const permissionIds = z.array(z.string().regex(/^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*){2,}$/)).max(2_000)
export const ids = z.array(z.uuid()).max(1_000)

export const instant = z.string().nullable()
export const named = z.object({ id: z.string(), name: z.string() })
/** A record of a resource as the engine answers it, with what the route adds. */
export const recordAnswer = z.looseObject({ id: z.string(), version: z.number() })

/** Parameters of a list of records, as in every resource's own route. */
export const listQuery = z.object({
  filter: z.string().max(20_000).optional(),
  q: z.string().max(500).optional(),
  sort: z.string().max(500).optional(),
  limit: z.coerce.number().optional(),
  after: z.string().max(4_000).optional(),
  fields: z.string().max(2_000).transform(split).optional(),
  include: z.string().max(2_000).transform(split).optional(),
  count: z.enum(['estimate', 'exact', 'none']).optional(),
  deleted: z.literal('only').optional(),
})

function split(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
}

/** Without the keys that were not sent, as functions with optional properties want it. */
export function given<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

/** Of a list so short that it is answered whole. */
export const onePage = z.object({ next: z.null(), count: z.number(), exact: z.boolean() })
