import type { z } from 'zod'
import { validationFailed } from '../records/errors.ts'
import { schemaFaults } from '../schema-faults.ts'

/** Reads a body by its schema and names every fault. */
export function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = schemaFaults(result.error, value)
  throw validationFailed({ count: errors.length, first: `${errors[0]?.path}: ${errors[0]?.detail}` }, { errors })
}
