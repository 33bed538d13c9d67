import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Reader } from '../records/audience.ts'
import { checkExpression, everyField, type CheckedExpression } from '../records/expression/check.ts'
import { compileExpression } from '../records/expression/compile.ts'
import type { Environment } from '../records/expression/moments.ts'
import { fieldValue } from '../records/field-value.ts'
import { parseExpression } from '../records/expression/parse.ts'
import type { ResourceCatalog, ResourceModel } from '../records/model.ts'
import { systemFields } from '../records/registry.ts'
import type { Access, Authority, ResourceAction, RoleRights, SharedWith, Visibility } from './authority.ts'
import type { FieldGrant, Grant } from './grant.ts'
import { internalRightIn, isInternalRight } from './internal-right.ts'
import { coversAction, coversResource, partsOfPermission } from './named-permission.ts'

type Condition = RawBuilder<SqlBool>

/** Everything about an actor that decides what is within reach. */
export interface Subject {
  /** User id that records are owned by; an API key has none. */
  readonly me?: string
  /** Own teams and all below them. */
  readonly teams: readonly string[]
  readonly homeTeam?: string
  /** Partners a partner's person stands for, their own first; absent for the people of the house. */
  readonly partners?: readonly string[]
  /** Absent where nothing is shared with the subject. */
  readonly shares?: SharedWith
  readonly roles: readonly RoleRights[]
  /** Ids of the roles that stand in tables. */
  readonly roleIds?: readonly string[]
}

/** What conditions of grants are compiled with. */
export interface Conditions {
  /** Resources of the enabled plugins; a condition may follow references into them. */
  readonly catalog: ResourceCatalog
  environment(userId: string | undefined): Environment
  /** Hears of a condition that no longer fits its resource. Such a grant grants nothing, such a denial denies all. */
  broken(grant: Grant, reason: unknown): void
}

const reach: Readonly<Record<Visibility, number>> = { own: 0, team: 1, all: 2 }
const degree: Readonly<Record<FieldGrant['access'], number>> = { none: 0, masked: 1, read: 2, write: 3 }

/** What a share opens: reading, and changing where it says so. Never deleting, nor anything that names no record. */
const sharedFor: Readonly<Partial<Record<ResourceAction, 'read' | 'write'>>> = {
  read: 'read',
  export: 'read',
  update: 'write',
}

const nothing: Condition = sql`false`
const anything: Condition = sql`true`

/**
 * The one permission compiler: `compile(actor, resource, action)` as rows and fields.
 *
 * Grants of several roles are ORed, denials are taken away from their union. The condition is never NULL, so that it may
 * be negated, and names owner and team plainly, so that their indexes serve it.
 */
export function compileAuthority(subject: Subject, conditions: Conditions): Authority {
  const compiled = new WeakMap<ResourceModel, Map<ResourceAction, Access>>()
  const may = (permission: string) => {
    const { resource, action } = partsOfPermission(permission)
    if (subject.partners && isInternalRight(resource, action)) return false
    const grants = grantsFor(subject, conditions, resource, action)
    return grants.some(({ deny }) => !deny) && !grants.some(deniesAll)
  }
  return {
    compile(model, action) {
      const actions = compiled.get(model) ?? new Map<ResourceAction, Access>()
      compiled.set(model, actions)
      let access = actions.get(action)
      if (!access) actions.set(action, (access = compileAccess(subject, conditions, model, action, may)))
      return access
    },
    may,
    holds: (role) => holdsAll(subject, conditions, role),
    teams: subject.teams,
    ...(subject.partners === undefined ? {} : { partners: subject.partners }),
    ...(subject.shares === undefined || subject.partners ? {} : { shares: subject.shares }),
    ...(subject.roleIds === undefined ? {} : { roles: subject.roleIds }),
    ...(subject.homeTeam === undefined ? {} : { homeTeam: subject.homeTeam }),
    held: {
      roles: subject.roles.map(({ grants, fields }) => ({ grants, fields })),
      teams: subject.teams,
      ...(subject.partners === undefined ? {} : { partners: subject.partners }),
    },
  }
}

interface FieldAccess {
  readonly readable: boolean
  readonly masked: boolean
  readonly writable: boolean
}

function compileAccess(
  subject: Subject,
  conditions: Conditions,
  model: ResourceModel,
  action: ResourceAction,
  may: (permission: string) => boolean,
): Access {
  const grants = grantsFor(subject, conditions, model.id, action)
  const allowing = effective(grants.filter(({ deny }) => !deny))
  const denying = effective(grants.filter(({ deny }) => deny))
  const { partners } = subject
  // A partner's people make nothing that would not be theirs.
  const isMaking = action === 'create' || action === 'import'
  const isClosed = partners !== undefined && isMaking && model.partner === undefined
  const allowed = allowing.length > 0 && !grants.some(deniesAll) && !isClosed
  const readingRoles = rolesGranting(subject, model.id, ['read'])
  const writingRoles = rolesGranting(subject, model.id, action === 'read' ? ['create', 'update'] : [action])
  const fields = new Map<string, FieldAccess>()
  const field = (name: string): FieldAccess => {
    let answer = fields.get(name)
    if (!answer) {
      const given = widest(readingRoles, model.id, name)
      const { formula, derivedFrom = [], needs } = model.fields.get(name) ?? {}
      const sources = derivedFrom.map(field)
      // A formula tells what it is computed from, and its mask would show other letters of that.
      const isOpen =
        (needs === undefined || may(needs)) && [...(formula?.reads ?? [])].every((it) => field(it).readable)
      // Whoever reads a record reads what every record has.
      const readable = systemFields.has(name) || (given >= degree.read && isOpen && sources.every((it) => it.readable))
      const masked = !readable && given >= degree.masked && isOpen && sources.every((it) => it.readable || it.masked)
      answer = {
        readable,
        masked,
        // Of a record that was opened to them, a refused value would tell partners' people that another one has it.
        writable:
          widest(writingRoles, model.id, name) >= degree.write &&
          !masked &&
          !(partners && !model.partner && model.fields.get(name)?.unique),
      }
      fields.set(name, answer)
    }
    return answer
  }
  const clauses = allowing.map((grant) => prepare(grant, subject, conditions, model, nothing))
  const denials = denying.map((grant) => prepare(grant, subject, conditions, model, anything))
  const { audience } = model
  const reader = readerIn(subject, may)
  const [only] = allowing
  const isPlain =
    partners === undefined &&
    allowed &&
    !audience &&
    denying.length === 0 &&
    allowing.length === 1 &&
    only?.condition === undefined
  const everything =
    allowed &&
    partners === undefined &&
    audience === undefined &&
    denying.length === 0 &&
    allowing.some((grant) => grant.visibility === 'all' && grant.condition === undefined)
  // Whoever may do a thing with no record of a kind may not do it with one that is shared with them.
  const shared = allowed && !everything ? sharedIds(subject, conditions, model, action) : undefined
  const granted = (alias: string): Condition => {
    const reached = either(clauses.map((clause) => clause(alias)))
    const within = partners
      ? sql<SqlBool>`(${reached} and ${partnerSide(subject, conditions, { model, action, alias })})`
      : reached
    return audience ? sql<SqlBool>`(${within} and ${audience(reader, action, alias)})` : within
  }
  const undenied = (reached: Condition, alias: string): Condition =>
    denials.length === 0 ? reached : sql`(${reached} and not ${either(denials.map((denial) => denial(alias)))})`
  return {
    allowed,
    ...(isPlain && only ? { reach: only.visibility } : {}),
    everything,
    ...(shared ? { shared } : {}),
    where(alias) {
      if (!allowed) return nothing
      if (!shared) return undenied(granted(alias), alias)
      // By ids that are known before any row is looked at: beside the owner's index their own one serves.
      return undenied(sql`(${granted(alias)} or ${sql.ref(`${alias}.id`)} = any((${shared()})::uuid[]))`, alias)
    },
    granted: (alias) => (allowed ? undenied(granted(alias), alias) : nothing),
    readable: (name) => field(name).readable,
    masked: (name) => field(name).masked,
    writable: (name) => field(name).writable,
  }
}

/** The subject as audiences know them. */
function readerIn({ me, roleIds = [], shares }: Subject, may: (permission: string) => boolean): Reader {
  return { ...(me === undefined ? {} : { me }), roles: roleIds, sharedTeams: shares?.teams ?? [], may }
}

/** Records shared with the subject, as a statement that is run once and names no row of theirs. */
function sharedIds(
  { me, partners, shares }: Subject,
  conditions: Conditions,
  { id }: ResourceModel,
  action: ResourceAction,
): (() => RawBuilder<readonly string[]>) | undefined {
  const access = sharedFor[action]
  // A person of a partner is shared with through the partner, whom the wall knows.
  if (!access || partners || !shares?.resources.has(id)) return undefined
  return () => {
    const now = conditions.environment(me).now.toISOString()
    return sql`select core.shared_with(${me ?? null}::uuid, ${shares.teams}::uuid[], '{}', ${now}::timestamptz, ${id}, ${access})`
  }
}

/**
 * What of a resource is on the partners' side: their own records, and those opened to them one by one. The wall in the
 * database says the same once more; here it finds its index.
 */
function partnerSide(
  { me, partners = [] }: Subject,
  conditions: Conditions,
  { model, action, alias }: { readonly model: ResourceModel; readonly action: ResourceAction; readonly alias: string },
): Condition {
  const field = model.partner && model.fields.get(model.partner.field)
  if (model.partner && field) {
    const column = fieldValue(field, alias)
    const whose = model.partner.of === 'partner' ? sql`${partners}::uuid[]` : sql`array[${me ?? null}]::uuid[]`
    return sql<SqlBool>`(${column} is not null and ${column} = any(${whose}))`
  }
  const { now } = conditions.environment(me)
  const may = action === 'read' || action === 'export' ? 'read' : 'write'
  return sql<SqlBool>`(${sql.ref(`${alias}.id`)} = any ((
    select core.shared_with(null, '{}', ${partners}::uuid[], ${now.toISOString()}::timestamptz, ${model.id}, ${may}))::uuid[]))`
}

function grantsFor({ roles }: Subject, conditions: Conditions, resource: string, action: string): Grant[] {
  const covers = covering(conditions, resource, action)
  return roles.flatMap(({ grants }) => grants.filter(covers))
}

function covering({ catalog }: Conditions, resource: string, action: string): (grant: Grant) => boolean {
  // `*` with one verb means records: it must not hand out the audit (`core.audit.read`) or a new company.
  const isRecord = catalog.get(resource) !== undefined
  return (grant) =>
    coversAction(grant.action, action) &&
    coversResource(grant.resource, resource) &&
    (isRecord || grant.action === '*' || grant.resource === resource)
}

/** One line of a role that speaks for an action or against it, taken apart as the compiler takes it. */
export interface Rule {
  readonly role: RoleRights
  readonly grant: Grant
  /** Its condition no longer fits the resource: it grants nothing, or denies all. */
  readonly isBroken: boolean
  readonly condition?: CheckedExpression
  /** Rows in its reach, whatever its condition says. */
  reach(alias: string): Condition
  /** Rows it grants, or denies. */
  holds(alias: string): Condition
}

export interface Rules {
  readonly granting: readonly Rule[]
  readonly denying: readonly Rule[]
  /** Of a person of a partner: the rows on their side of the wall. */
  readonly wall?: (alias: string) => Condition
  /** Where the record itself says for whom it is. */
  readonly audience?: (alias: string) => Condition
}

/** What `compileAuthority` makes one condition of, line by line: for whoever explains a verdict, never for giving one. */
export function rulesOf(
  subject: Subject,
  conditions: Conditions,
  { model, id, action }: { readonly model?: ResourceModel | undefined; readonly id: string; readonly action: string },
): Rules {
  const covers = covering(conditions, id, action)
  const rules = subject.roles.flatMap((role) =>
    role.grants.filter(covers).map((grant): Rule => {
      const whenBroken = grant.deny ? anything : nothing
      const condition =
        model && grant.condition !== undefined
          ? readCondition(grant.condition, grant, { subject, conditions, model })
          : undefined
      const isBroken = model !== undefined && grant.condition !== undefined && !condition
      return {
        role,
        grant,
        isBroken,
        ...(condition ? { condition } : {}),
        reach: (alias) => (model ? visible(grant.visibility, subject, model, alias) : anything),
        holds: model ? prepare(grant, subject, conditions, model, whenBroken) : () => anything,
      }
    }),
  )
  const audience = model?.audience
  const may = (permission: string) => compileAuthority(subject, conditions).may(permission)
  const reader = readerIn(subject, may)
  return {
    granting: rules.filter(({ grant }) => !grant.deny),
    denying: rules.filter(({ grant }) => grant.deny),
    ...(model && subject.partners
      ? {
          wall: (alias: string) => partnerSide(subject, conditions, { model, action: action as ResourceAction, alias }),
        }
      : {}),
    ...(audience ? { audience: (alias: string) => audience(reader, action as ResourceAction, alias) } : {}),
  }
}

/** What each role that lets a field's records be read, or written, says of the field; the widest holds. */
export function fieldRules(
  subject: Subject,
  { resource, field, writing }: { readonly resource: string; readonly field: string; readonly writing: boolean },
): readonly { readonly role: RoleRights; readonly access: FieldGrant['access'] }[] {
  return rolesGranting(subject, resource, writing ? ['create', 'update'] : ['read']).map((role) => ({
    role,
    access: accessIn(role, resource, field),
  }))
}

/**
 * Whether the subject's own roles allow all that a role allows. Sound rather than complete: two conditions are alike when
 * they read alike, and each line has to be held by one line.
 */
function holdsAll(subject: Subject, { catalog }: Conditions, role: RoleRights): boolean {
  if (subject.partners && internalRightIn(role.grants) !== undefined) return false
  const own = subject.roles.flatMap(({ grants }) => grants)
  const isCovered = (wanted: Grant) =>
    own.some((held) => !held.deny && covers(held, wanted, catalog) && !isNarrower(held, wanted))
  const isKept = (denial: Grant) =>
    role.grants.some((it) => it.deny === true && covers(it, denial, catalog) && !isNarrower(it, denial)) ||
    !role.grants.some((it) => !it.deny && overlap(it, denial))
  return (
    role.grants.every((it) => it.deny === true || isCovered(it)) &&
    own.every((it) => !it.deny || isKept(it)) &&
    [...subject.roles, role].every(({ fields }) => fields.every((field) => isNoWider(subject, role, field)))
  )
}

/** A pattern with one verb means records alone: it holds no named permission (`core.role.manage`). */
function covers(held: Grant, wanted: Grant, catalog: ResourceCatalog): boolean {
  const isRecords = wanted.resource.endsWith('*') || catalog.get(wanted.resource) !== undefined
  return (
    coversAction(held.action, wanted.action) &&
    coversResource(held.resource, wanted.resource) &&
    (isRecords || held.action === '*' || held.resource === wanted.resource)
  )
}

function isNarrower(held: Grant, wanted: Grant): boolean {
  return (
    reach[held.visibility] < reach[wanted.visibility] ||
    (held.condition !== undefined && held.condition !== wanted.condition)
  )
}

function overlap(left: Grant, right: Grant): boolean {
  return (
    (coversAction(left.action, right.action) || coversAction(right.action, left.action)) &&
    (coversResource(left.resource, right.resource) || coversResource(right.resource, left.resource))
  )
}

/** Whether a role opens a field that the subject's roles narrow no further than they do. */
function isNoWider(subject: Subject, role: RoleRights, { resource, field }: FieldGrant): boolean {
  return [['read'], ['create', 'update']].every((actions) => {
    const most = actions[0] === 'read' ? degree.read : degree.write
    const opened = role.grants.some(
      (it) =>
        !it.deny &&
        overlap(it, { resource, action: '*', visibility: 'all' }) &&
        actions.some((verb) => coversAction(it.action, verb)),
    )
    if (!opened) return true
    const given = Math.min(most, widest([role], resource, field))
    return given <= widest(rolesGranting(subject, resource, actions), resource, field)
  })
}

function deniesAll({ deny, visibility, condition }: Grant): boolean {
  return deny === true && visibility === 'all' && condition === undefined
}

/** Without the grants that a wider one without a condition already holds. */
function effective(grants: readonly Grant[]): Grant[] {
  const plain = grants.filter(({ condition }) => condition === undefined)
  const widest = plain.toSorted((a, b) => reach[b.visibility] - reach[a.visibility])[0]
  if (!widest) return [...grants]
  return [
    widest,
    ...grants.filter((grant) => grant.condition !== undefined && reach[grant.visibility] > reach[widest.visibility]),
  ]
}

/** Reads a grant's condition once; its moments (`today()`) are taken anew for every statement. */
function prepare(
  grant: Grant,
  subject: Subject,
  conditions: Conditions,
  model: ResourceModel,
  whenBroken: Condition,
): (alias: string) => Condition {
  if (grant.condition === undefined) return (alias) => visible(grant.visibility, subject, model, alias)
  const checked = readCondition(grant.condition, grant, { subject, conditions, model })
  if (!checked) return () => whenBroken
  return (alias) => {
    const condition = compileExpression(checked, { alias, environment: conditions.environment(subject.me) })
    if (grant.visibility === 'all') return condition
    return sql`(${visible(grant.visibility, subject, model, alias)} and ${condition})`
  }
}

/** Conditions read before, by the grant they stand in: whoever explains a verdict compiles the same roles dozens of times. */
const readBefore = new WeakMap<Grant, { readonly model: ResourceModel; readonly checked: CheckedExpression }>()

/** A grant's condition as the compiler takes it; nothing where it no longer fits. */
function readCondition(
  text: string,
  grant: Grant,
  { subject, conditions, model }: { subject: Subject; conditions: Conditions; model: ResourceModel },
): CheckedExpression | undefined {
  try {
    // The condition is the administrator's: it may look at fields the actor may not read.
    const before = readBefore.get(grant)
    const checked =
      before?.model === model
        ? before.checked
        : checkExpression(parseExpression(text), { resource: model, catalog: conditions.catalog, access: everyField })
    // Grants are read anew with every change of roles, fields or modules, so that none outlives what it was checked against.
    readBefore.set(grant, { model, checked })
    if (subject.partners) refuseUnseen(checked, conditions)
    return checked
  } catch (reason) {
    conditions.broken(grant, reason)
    return undefined
  }
}

/** A condition is not judged by rows that a partner's session does not see: where it leads to such, it does not fit. */
function refuseUnseen(checked: CheckedExpression, { catalog, environment }: Conditions): void {
  compileExpression(checked, {
    alias: 't',
    environment: environment(undefined),
    visibility(id) {
      if (!catalog.get(id)?.partner) throw new Error(`It leads to ${id}, of which partners' people see no row.`)
      return undefined
    },
  })
}

function visible(visibility: Visibility, { me, teams }: Subject, model: ResourceModel, alias: string): Condition {
  if (visibility === 'all' || model.audience) return anything
  const owner = model.fields.get('owner')
  const team = model.fields.get('team')
  const parts: Condition[] = []
  if (owner && me !== undefined) {
    const column = fieldValue(owner, alias)
    parts.push(sql`(${column} is not null and ${column} = ${me}::uuid)`)
  }
  if (visibility === 'team' && team && teams.length > 0) {
    const column = fieldValue(team, alias)
    parts.push(sql`(${column} is not null and ${column} = any(${teams}::uuid[]))`)
  }
  return either(parts)
}

function either(parts: readonly Condition[]): Condition {
  if (parts.length === 0) return nothing
  if (parts.length === 1) return parts[0]!
  return sql`(${sql.join(parts, sql` or `)})`
}

function rolesGranting({ roles }: Subject, resource: string, actions: readonly string[]): RoleRights[] {
  return roles.filter(({ grants }) =>
    grants.some(
      (grant) =>
        !grant.deny && coversResource(grant.resource, resource) && actions.some((it) => coversAction(grant.action, it)),
    ),
  )
}

/** The field's widest access over the roles that grant the resource. */
function widest(roles: readonly RoleRights[], resource: string, field: string): number {
  return roles.reduce((most, role) => Math.max(most, degree[accessIn(role, resource, field)]), degree.none)
}

/** A role that does not mention a field gives it in full. */
function accessIn({ fields }: RoleRights, resource: string, field: string): FieldGrant['access'] {
  const mentions = fields.filter(
    (it) => coversResource(it.resource, resource) && (it.field === field || it.field === '*'),
  )
  return (mentions.find((it) => it.field === field) ?? mentions[0])?.access ?? 'write'
}
