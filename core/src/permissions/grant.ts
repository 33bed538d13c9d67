import { z } from 'zod'

/** One line of a role: an action on a resource, how far it reaches, and under which condition. */
export const grantSchema = z.object({
  /** Resource id, `<plugin>.*` for all of a plugin, or `*`. A named permission `a.b.c` is resource `a.b`, action `c`. */
  resource: z.string().max(120),
  /** `read`, `create`, `update`, `delete`, `restore`, `export`, `import`, another verb, or `*`. */
  action: z.string().max(60),
  visibility: z.enum(['own', 'team', 'all']).default('all'),
  /** Text of the expression language over the resource's fields. */
  condition: z.string().max(2_000).optional(),
  /** An explicit refusal wins over every grant. */
  deny: z.boolean().optional(),
})
export type Grant = z.infer<typeof grantSchema>

/** What a role may do with one field; a field no role mentions may be written wherever its record may. */
export const fieldGrantSchema = z.object({
  resource: z.string().max(120),
  field: z.string().max(120),
  /** Masked: at most enough of a text to recognise it; its value decides on nothing. */
  access: z.enum(['none', 'masked', 'read', 'write']),
})
export type FieldGrant = z.infer<typeof fieldGrantSchema>

/** What a role allows, as its record keeps it. */
export const rightsSchema = z.object({ grants: z.array(grantSchema), fields: z.array(fieldGrantSchema) })
