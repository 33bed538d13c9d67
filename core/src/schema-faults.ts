import type { z } from 'zod'
import type { FieldFault } from './errors.ts'

/** What a schema refuses, place by place; `at` stands before each path. Codes are zod's, in capitals. */
export function schemaFaults(error: z.ZodError, at = ''): FieldFault[] {
  return error.issues.map(({ path, code, message, ...facts }) => ({
    path: at && path.length === 0 ? at : `${at}/${path.map(String).join('/')}`,
    code: code.toUpperCase(),
    detail: message,
    values: Object.fromEntries(
      Object.entries(facts).map(([name, fact]) => [name, Array.isArray(fact) ? fact.map(String).join(', ') : fact]),
    ),
  }))
}
