import type { z } from 'zod'
import { validationFailed } from '../records/errors.ts'

/** Reads a body by its schema and names every fault. */
export function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.map(({ path, code, message }) => ({
    path: `/${path.map(String).join('/')}`,
    code: code.toUpperCase(),
    detail: message,
  }))
  throw validationFailed({ count: errors.length, first: `${errors[0]?.path}: ${errors[0]?.detail}` }, { errors })
}
