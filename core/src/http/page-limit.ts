import { queryInvalid } from '../records/errors.ts'

/**
 * The `limit` of a page, nothing where none is asked for.
 *
 * @throws `QUERY_INVALID` (400) quoting what was written where it is no whole number from 1 to `most`
 */
export function pageLimit(text: string | undefined, most = 200): number | undefined {
  if (text === undefined) return undefined
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= most) return limit
  throw queryInvalid({ parameter: 'limit', value: text.slice(0, 60), expected: `a whole number from 1 to ${most}` })
}
