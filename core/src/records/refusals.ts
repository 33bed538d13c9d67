import type { Context } from '../context.ts'
import { isDatabaseError, ruleOf, type DatabaseError } from '../database/database-error.ts'
import type { SocleError } from '../errors.ts'
import type { Words } from '../words.ts'
import { referenceInUse, validationFailed, valueTaken } from './errors.ts'
import { dots } from './mask.ts'
import { asTold } from './read.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

/** Why one of several rows was refused, in the language of who asked. */
export interface RowProblem {
  readonly code: string
  readonly detail: string
}

export function problemOf(error: SocleError, { locale }: Context, words: Words): RowProblem {
  return { code: error.code, detail: words.sentence(locale, error) }
}

/** What is left of a refusal for whoever may no longer read all that it was worded from. */
export function untold({ t }: Context, { code }: RowProblem): RowProblem {
  return { code, detail: t('core.refusal.untold', { code }) }
}

/**
 * Says in words what the database refused. Guards answer first; this is for what only the database can see, such as
 * two people taking one value in the same second. A value that was not read before, as of a record restored, stays untold.
 *
 * Codes: PostgreSQL manual, appendix A.
 */
export function databaseRefusal(
  scope: EngineScope,
  resource: Resource,
  record: Readonly<Record<string, unknown>>,
  error: unknown,
): SocleError | undefined {
  if (!isDatabaseError(error)) return undefined
  const field = fieldNamed(resource, error)
  switch (error.code) {
    case '23505':
    case '23P01': {
      const value = field === undefined ? '' : String(asTold(scope, resource, record)[field] ?? dots)
      return valueTaken(
        { field: field ?? 'this record', value: value || resource.entity },
        field === undefined
          ? {}
          : {
              errors: [
                {
                  path: `/${field}`,
                  code: 'VALUE_TAKEN',
                  detail: field === 'id' ? `The id "${value}" is taken.` : `"${value}" is already taken.`,
                  values: { field, value },
                },
              ],
            },
      )
    }
    case '23502':
    case '23514':
    case '22003':
    case '22001':
    case '22P02':
    case '22021':
      return refusedValue(field, error)
    case '23503':
      return error.message.startsWith('update or delete')
        ? referenceInUse({ resource: resource.entity, id: String(record['id']), by: error.table ?? 'another record' })
        : refusedValue(field, error)
    default:
      return undefined
  }
}

function refusedValue(field: string | undefined, error: DatabaseError): SocleError {
  const rule = ruleOf(error)
  const detail = `The rule ${rule} does not allow this value${field === undefined ? '' : ` for ${field}`}. Correct it and send it again.`
  return validationFailed(
    { count: 1, first: detail },
    {
      errors: [
        {
          path: field === undefined ? '' : `/${field}`,
          code: 'RULE_BROKEN',
          detail,
          values: { reason: rule },
        },
      ],
    },
  )
}

function fieldNamed(resource: Resource, { column, constraint, detail, table }: DatabaseError): string | undefined {
  const text = column ?? /^Key \((.*?)\)=/.exec(detail ?? '')?.[1] ?? constraint ?? ''
  if (constraint === `${resource.table}_pkey`) return 'id'
  const own = resource.all.find(({ custom }) => custom !== undefined && custom.index === constraint)
  if (own) return own.name
  const beside = resource.all.filter(({ side }) => side !== undefined && side.table === table)
  // A unique key often reads "workspace, lower(code)": the field is the column that is not the workspace.
  return (beside.length > 0 ? beside : resource.all).find(
    ({ column: inTable, name, custom, formula, side }) =>
      name !== 'id' &&
      !custom &&
      !formula &&
      new RegExp(`(?:^|[^a-z_])${side?.column ?? inTable}(?:[^a-z_]|$)|_${side?.column ?? inTable}$`).test(text),
  )?.name
}
