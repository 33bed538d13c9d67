import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import { SocleError, type FieldFault } from '../../errors.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import { defineGuard, type GuardDefinition, type GuardedWrite } from '../define-resource.ts'
import { reservedWords } from '../expression/parse.ts'
import { fieldTypes } from '../field-types.ts'
import type { Resource, Resources } from '../registry.ts'
import { refuseFaults } from '../write.ts'
import { fieldFixed, fieldNotOwn, fieldsFull } from './errors.ts'
import { ownFieldsOf } from './own-fields.ts'
import { optionsSchema, withOwnFields, type OwnField, type OwnFieldFault } from './own-resources.ts'

/** The declared resources of a workspace, asked when a guard runs. */
export type ResourcesOf = (workspace: string) => Resources

const every: readonly GuardedWrite['action'][] = ['create', 'update', 'delete', 'restore']
const manage = 'core.field.manage'
const fieldLimit = 200
/** Names that steer a write, or that each record's column has. */
const taken: ReadonlySet<string> = new Set(['workspace', 'custom', 'acknowledge', 'allowDuplicate', 'reason', 'title'])

/** A new definition lacks what nobody gave. */
const unset = Object.fromEntries(
  [
    'helpEn',
    'helpFr',
    'options',
    'target',
    'currency',
    'scale',
    'min',
    'max',
    'maxLength',
    'requiredIf',
    'shownIf',
    'initial',
    'formula',
    'prefix',
  ].map((property) => [property, null]),
)

const fault = (property: string, code: string, detail: string): FieldFault => ({ path: `/${property}`, code, detail })

/** A wildcard over all records is not enough: a field changes what everybody sees. */
const fieldsAreManaged = defineGuard('core.field', every, (_, ctx) => {
  if (!ctx.authority.may(manage)) throw permissionDenied({ permission: manage })
})

/** Values are kept under the name and in the form of the type. */
const identityIsFixed = defineGuard('core.field', ['update'], ({ record, before, changed }) => {
  for (const property of ['resource', 'name', 'type', 'target', 'prefix'])
    if (changed.has(property)) throw fieldFixed({ name: String(before?.['name']), property })
  if (changed.has('formula') && (before?.['formula'] === null || record['formula'] === null))
    throw fieldFixed({ name: String(record['name']), property: 'formula' })
})

/** The rules of fields: what each of them names exists, fits its type and can be computed. */
export function fieldGuards(resourcesOf: ResourcesOf): readonly GuardDefinition[] {
  const fieldIsSound = defineGuard('core.field', ['create', 'update', 'restore'], async (write, ctx) => {
    const row = { ...unset, ...write.record } as OwnField
    const resources = resourcesOf(ctx.workspace.id)
    const base = resources.get(row.resource)
    if (!base || base.options.readonly || base.id === 'core.field') throw fieldNotOwn({ resource: row.resource })
    refuseFaults([...nameFaults(base, row), ...typeFaults(resources, base, row)])
    // One change of a resource's fields at a time: two formulas could each be without a cycle and together make one.
    await sql`select pg_advisory_xact_lock(hashtext(${`fields ${ctx.workspace.id} ${row.resource}`}))`.execute(ctx.sql)
    const others = (await ownFieldsOf(ctx.sql, ctx.workspace.id, row.resource)).filter(({ id }) => id !== row.id)
    if (others.length >= fieldLimit) throw fieldsFull({ resource: row.resource, limit: fieldLimit })
    checkTogether(ctx, resources, plain(base), [row, ...others], row)
  })

  return [fieldsAreManaged, identityIsFixed, fieldIsSound, indexFollows]
}

/** An index is built, or taken away, by a job that this state asks for. */
const indexFollows = defineGuard('core.field', every, ({ record, before, set, action }) => {
  const wanted = (it: Readonly<Record<string, unknown>>) =>
    (it['indexed'] === true || it['unique'] === true) &&
    it['archived'] !== true &&
    (it !== record || action !== 'delete')
  const kind = (it: Readonly<Record<string, unknown>> | undefined) =>
    it && wanted(it) ? (it['unique'] === true ? 'unique' : 'plain') : 'none'
  const was = action === 'create' || action === 'restore' ? 'none' : kind(before)
  if (kind(record) === was) return
  set('indexState', kind(record) === 'none' ? null : 'building')
  set('indexFault', null)
})

/** The resource without its own fields, as `withOwnFields` takes it. */
function plain(resource: Resource): Resource {
  const isOwn = new Set(resource.all.filter(({ label }) => label !== undefined).map(({ name }) => name))
  if (isOwn.size === 0) return resource
  const without = <T>(map: ReadonlyMap<string, T>) => new Map([...map].filter(([name]) => !isOwn.has(name)))
  return {
    ...resource,
    fields: without(resource.fields),
    defaults: without(resource.defaults),
    nullable: new Set([...resource.nullable].filter((name) => !isOwn.has(name))),
    all: resource.all.filter(({ name }) => !isOwn.has(name)),
  }
}

/** Formulas and conditions are read as they will work together; what this change breaks is refused. */
function checkTogether(
  ctx: Context,
  resources: Resources,
  base: Resource,
  rows: readonly OwnField[],
  row: OwnField,
): void {
  const broken = (fields: readonly OwnField[]) => {
    const faults: OwnFieldFault[] = []
    withOwnFields(base, fields, {
      catalog: resources,
      workspace: ctx.workspace.id,
      zone: ctx.workspace.zone,
      broken: (it) => faults.push(it),
    })
    return faults
  }
  // An archived field is looked at as it will be when it is back.
  const faults = broken(rows.map((it) => (it.id === row.id ? { ...it, archived: false } : it)))
  const own = faults.find((it) => it.row.id === row.id)
  if (own) {
    if (own.error instanceof SocleError) {
      const { code, message, extras } = own.error
      if (code === 'CYCLE_REFUSED') throw own.error
      throw new SocleError(code, own.error.status, message, own.error.values, {
        ...extras,
        errors: [{ ...fault(own.property, code, message), ...place(extras) }],
      })
    }
    const { fault: found } = own.error as { fault: Omit<FieldFault, 'path'> }
    refuseFaults([{ path: `/${own.property}`, ...found }])
  }
}

function place(extras: Readonly<Record<string, unknown>>): object {
  const { position, length } = extras
  return position === undefined ? {} : { position, length }
}

function nameFaults(base: Resource, { name, labelEn, labelFr }: OwnField): FieldFault[] {
  const faults: FieldFault[] = []
  if (!/^[a-z][A-Za-z0-9]{0,59}$/.test(name) || reservedWords.has(name.toLowerCase()))
    faults.push(
      fault(
        'name',
        'NAME_INVALID',
        `"${name}" cannot name a field. Begin with a small letter, then letters and digits, like "tradeMargin".`,
      ),
    )
  else if (plain(base).fields.has(name) || base.collections.has(name) || taken.has(name))
    faults.push(fault('name', 'NAME_TAKEN', `${base.id} has "${name}" already. Choose another name.`))
  for (const [property, label] of Object.entries({ labelEn, labelFr }))
    if (typeof label !== 'string' || label.trim() === '')
      faults.push(fault(property, 'REQUIRED', `${property} must have a value.`))
  return faults
}

function typeFaults(resources: Resources, base: Resource, row: OwnField): FieldFault[] {
  const faults: FieldFault[] = []
  const { type, target, min, max, currency, formula } = row
  const choice = type === 'select' || type === 'multi-select'
  if (choice) {
    const options = optionsSchema.safeParse(row.options)
    const values = options.success ? options.data.map(({ value }) => value) : []
    if (!options.success) {
      const issue = options.error.issues[0]
      faults.push(
        fault(
          ['options', ...(issue?.path ?? [])].join('/'),
          'OPTIONS_INVALID',
          `The choices of "${row.name}" cannot be kept: ${issue?.message ?? ''}.`,
        ),
      )
    } else if (new Set(values).size < values.length)
      faults.push(
        fault('options', 'OPTIONS_INVALID', `"${row.name}" has the same choice twice. Each has a value of its own.`),
      )
  } else if (row.options !== null)
    faults.push(fault('options', 'NOT_OF_TYPE', `A field of type ${type} has no choices.`))
  if (type === 'reference' && (target === null || !resources.get(target)))
    faults.push(
      fault(
        'target',
        'TARGET_UNKNOWN',
        `"${target ?? ''}" is no kind of record. Say what "${row.name}" refers to, like "core.contact".`,
      ),
    )
  if (type !== 'reference' && target !== null)
    faults.push(fault('target', 'NOT_OF_TYPE', `A field of type ${type} refers to nothing.`))
  if (min !== null && max !== null && Number(min) > Number(max))
    faults.push(fault('max', 'OUT_OF_RANGE', `The largest number ${max} is below the smallest ${min}.`))
  if (currency !== null && (type !== 'money' || base.fields.get(currency)?.type !== 'text'))
    faults.push(
      fault(
        'currency',
        'CURRENCY_UNKNOWN',
        `"${currency}" holds no currency of ${base.id}. Leave it out for the workspace’s own.`,
      ),
    )
  if (row.scale !== null && fieldTypes[type].sql !== 'numeric')
    faults.push(fault('scale', 'NOT_OF_TYPE', `A field of type ${type} has no decimals.`))
  if (type === 'auto-number' && (row.prefix === null || !/^[A-Z][A-Z0-9]{0,9}$/.test(row.prefix)))
    faults.push(
      fault(
        'prefix',
        'PREFIX_INVALID',
        `"${row.prefix ?? ''}" cannot begin a number. Use capitals and digits, like "CT".`,
      ),
    )
  if ((row.unique || row.indexed) && (!fieldTypes[type].sorts || type === 'long'))
    faults.push(fault(row.unique ? 'unique' : 'indexed', 'NOT_OF_TYPE', `A field of type ${type} takes no index.`))
  if (formula !== null) {
    const extra =
      (['required', 'unique', 'indexed'] as const).find((it) => row[it]) ??
      (row.initial === null && row.requiredIf === null ? undefined : 'initial')
    if (extra)
      faults.push(
        fault(extra, 'NOT_OF_TYPE', `A formula is computed: it is neither asked for, nor unique, nor indexed.`),
      )
  }
  return faults
}
