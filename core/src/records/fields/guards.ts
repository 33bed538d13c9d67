import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import { SocleError, type FieldFault } from '../../errors.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import { defineGuard, type GuardDefinition, type GuardedWrite } from '../define-resource.ts'
import { reservedWords } from '../expression/parse.ts'
import { fieldTypes } from '../field-types.ts'
import type { Resource, Resources } from '../registry.ts'
import { requiredFault } from '../values.ts'
import { refuseFaults } from '../write.ts'
import { fieldFixed, fieldInUse, fieldNotOwn, fieldsFull } from './errors.ts'
import { ownFieldsOf } from './own-fields.ts'
import { optionsSchema, withOwnFields, type OwnField, type OwnFieldFault } from './own-resources.ts'
import { fields } from './resource.ts'

const every: readonly GuardedWrite['action'][] = ['create', 'update', 'delete', 'restore']
const manage = 'core.field.manage'
const fieldLimit = 200
/** Names that steer a write, or that each record's column has. Those every JavaScript object has are none for a field either. */
const taken: ReadonlySet<string> = new Set(['workspace', 'custom', 'acknowledge', 'allowDuplicate', 'reason', 'title'])

const fault = (
  property: string,
  code: string,
  detail: string,
  values: Readonly<Record<string, unknown>>,
): FieldFault => ({ path: `/${property}`, code, detail, values })

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

/** The rules of fields: what each of them names exists, fits its type and can be computed, and goes on doing so. */
export function fieldGuards(declared: (workspace: string) => Resources): readonly GuardDefinition[] {
  const fieldIsSound = defineGuard('core.field', every, async ({ action, record, before }, ctx) => {
    const catalog = declared(ctx.workspace.id)
    // A new definition lacks what nobody gave.
    const unset = Object.fromEntries([...catalog.of(fields).nullable].map((name) => [name, null]))
    const row = { ...unset, ...record } as OwnField
    const base = catalog.get(row.resource)
    if (action === 'delete' && !base) return
    if (!base || base.options.readonly || base.id === 'core.field') throw fieldNotOwn({ resource: row.resource })
    // One change of a workspace's fields at a time: two formulas could each be without a cycle and together make one.
    await sql`select pg_advisory_xact_lock(hashtext(${`fields ${ctx.workspace.id}`}))`.execute(ctx.sql)
    const all = (await ownFieldsOf(catalog, ctx.sql, ctx.workspace.id)).filter(({ id }) => id !== row.id)
    const others = all.filter(({ resource }) => resource === row.resource)
    const faultsOf = (rows: readonly OwnField[]) => {
      const faults: OwnFieldFault[] = []
      const { id: workspace, zone } = ctx.workspace
      withOwnFields(base, rows, { catalog, workspace, zone, broken: (it) => faults.push(it) })
      return faults
    }
    if (action !== 'delete') {
      refuseFaults([
        ...nameFaults(ctx, catalog, base, row),
        ...typeFaults(catalog, base, row, others),
        ...prefixFaults(catalog, row, all),
      ])
      if (others.length >= fieldLimit) throw fieldsFull({ resource: row.resource, limit: fieldLimit })
      // An archived field is looked at as it will be when it is back.
      refuseBroken(faultsOf([{ ...row, archived: false }, ...others]).find((it) => it.row.id === row.id))
    }
    const was = action === 'update' || action === 'delete' ? [{ ...unset, ...before } as OwnField] : []
    const users = usersOf(row, faultsOf([...was, ...others]), faultsOf(action === 'delete' ? others : [row, ...others]))
    const isGone = action === 'delete' || row.archived
    const paid = isGone
      ? others.filter(({ currency }) => currency === row.name).map(({ name }) => `${name} (currency)`)
      : []
    const by = [...users, ...paid].join(', ')
    if (by !== '') throw fieldInUse({ name: row.name, by })
  })

  return [fieldsAreManaged, identityIsFixed, fieldIsSound, indexFollows]
}

/** Other fields that a change breaks, each with the part of it that no longer works. */
function usersOf(row: OwnField, before: readonly OwnFieldFault[], after: readonly OwnFieldFault[]): string[] {
  const key = (it: OwnFieldFault) => `${it.row.name} (${it.property})`
  const known = new Set(before.map(key))
  return after.filter((it) => it.row.id !== row.id && !known.has(key(it))).map(key)
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

/** Says what is wrong with a formula, a condition or a default at its property. */
function refuseBroken(broken: OwnFieldFault | undefined): void {
  if (!broken) return
  const { property, error } = broken
  if (!(error instanceof SocleError)) {
    const { fault: found } = error as { fault: Omit<FieldFault, 'path'> }
    refuseFaults([{ path: `/${property}`, ...found }])
    return
  }
  const { code, message, extras } = error
  if (code === 'CYCLE_REFUSED') throw error
  throw new SocleError(code, error.status, message, error.values, {
    ...extras,
    errors: [{ ...fault(property, code, message, error.values), ...place(extras) }],
  })
}

function place(extras: Readonly<Record<string, unknown>>): object {
  const { position, length } = extras
  return position === undefined ? {} : { position, length }
}

function nameFaults(
  ctx: Context,
  catalog: Resources,
  base: Resource,
  { name, labelEn, labelFr }: OwnField,
): FieldFault[] {
  // A plugin that is off here keeps the name of its field: it may come on.
  const isTaken = base.fields.has(name) || base.collections.has(name) || catalog.bringing(base.id, name) !== undefined
  const faults: FieldFault[] = []
  if (!/^[a-z][A-Za-z0-9]{0,59}$/.test(name) || reservedWords.has(name.toLowerCase()))
    faults.push(
      fault(
        'name',
        'NAME_INVALID',
        `"${name}" cannot name a field. Begin with a small letter, then letters and digits, like "tradeMargin".`,
        { name },
      ),
    )
  else if (isTaken || taken.has(name) || name in Object.prototype)
    faults.push(fault('name', 'NAME_TAKEN', `${base.id} has "${name}" already. Choose another name.`, { name }))
  for (const [property, label] of Object.entries({ labelEn, labelFr }))
    if (typeof label !== 'string' || label.trim() === '')
      faults.push({ ...requiredFault(property), values: { field: ctx.t(`core.field.${property}`) } })
  return faults
}

function typeFaults(catalog: Resources, base: Resource, row: OwnField, others: readonly OwnField[]): FieldFault[] {
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
          { name: row.name, why: 'form' },
        ),
      )
    } else if (new Set(values).size < values.length)
      faults.push(
        fault('options', 'OPTIONS_INVALID', `"${row.name}" has the same choice twice. Each has a value of its own.`, {
          name: row.name,
          why: 'twice',
        }),
      )
  } else if (row.options !== null)
    faults.push(fault('options', 'NOT_OF_TYPE', `A field of type ${type} has no choices.`, { type, what: 'options' }))
  if (type === 'reference' && (target === null || !catalog.get(target)))
    faults.push(
      fault(
        'target',
        'TARGET_UNKNOWN',
        `"${target ?? ''}" is no kind of record. Say what "${row.name}" refers to, like "core.contact".`,
        { target: target ?? '', name: row.name },
      ),
    )
  if (type !== 'reference' && target !== null)
    faults.push(fault('target', 'NOT_OF_TYPE', `A field of type ${type} refers to nothing.`, { type, what: 'target' }))
  if (min !== null && max !== null && Number(min) > Number(max))
    faults.push(fault('max', 'RANGE_REVERSED', `The largest number ${max} is below the smallest ${min}.`, { min, max }))
  const texts = [...base.fields.values(), ...others.filter(({ archived }) => !archived)].filter(
    (it) => it.type === 'text',
  )
  if (currency !== null && (type !== 'money' || !texts.some((it) => it.name === currency)))
    faults.push(
      fault(
        'currency',
        'CURRENCY_FIELD_UNKNOWN',
        `"${currency}" holds no currency of ${base.id}. Leave it out for the workspace’s own.`,
        { currency },
      ),
    )
  if (row.scale !== null && fieldTypes[type].sql !== 'numeric')
    faults.push(fault('scale', 'NOT_OF_TYPE', `A field of type ${type} has no decimals.`, { type, what: 'scale' }))
  if (type === 'auto-number' && (row.prefix === null || !/^[A-Z][A-Z0-9]{0,9}$/.test(row.prefix)))
    faults.push(
      fault(
        'prefix',
        'PREFIX_INVALID',
        `"${row.prefix ?? ''}" cannot begin a number. Use capitals and digits, like "CT".`,
        { prefix: row.prefix ?? '' },
      ),
    )
  if ((row.unique || row.indexed) && (!fieldTypes[type].sorts || fieldTypes[type].order || type === 'long'))
    faults.push(
      fault(row.unique ? 'unique' : 'indexed', 'NOT_OF_TYPE', `A field of type ${type} takes no index.`, {
        type,
        what: 'index',
      }),
    )
  if (formula !== null) {
    const extra =
      (['required', 'unique', 'indexed'] as const).find((it) => row[it]) ??
      (row.initial === null && row.requiredIf === null ? undefined : 'initial')
    if (extra)
      faults.push(
        fault(extra, 'NOT_OF_TYPE', `A formula is computed: it is neither asked for, nor unique, nor indexed.`, {
          type,
          what: 'formula',
        }),
      )
  }
  return faults
}

/** Each automatic number counts alone: two under one prefix would take each other's numbers away. */
function prefixFaults(catalog: Resources, { type, prefix }: OwnField, all: readonly OwnField[]): FieldFault[] {
  if (type !== 'auto-number' || prefix === null) return []
  const holder =
    catalog.all().find(({ options }) => Object.values(options.numbered ?? {}).includes(prefix))?.id ??
    all.filter((it) => it.type === 'auto-number' && it.prefix === prefix).map((it) => `${it.resource}.${it.name}`)[0]
  if (holder === undefined) return []
  const detail = `Numbers that begin with "${prefix}" are those of ${holder}. Choose another beginning.`
  return [fault('prefix', 'PREFIX_TAKEN', detail, { prefix, holder })]
}
