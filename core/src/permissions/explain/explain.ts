import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import type { RecordEngine } from '../../records/engine.ts'
import { checkExpression } from '../../records/expression/check.ts'
import type { CheckedExpression } from '../../records/expression/check.ts'
import { belongingOf } from '../../records/own-reach.ts'
import { systemFields, type Resource } from '../../records/registry.ts'
import type { Authorities, NamedRole, RightsSources } from '../authorities.ts'
import { isResourceAction, type Authority, type RoleRights } from '../authority.ts'
import { fieldRules, type Rule, type Rules, type Subject } from '../compiler.ts'
import { roleName } from '../role-names.ts'
import { isShareable } from '../sharing/shareable.ts'
import { conditionTree, type ConditionTree } from './condition-tree.ts'
import { enforced, isAboutRow, type Asked, type Enforced } from './question.ts'
import { Truths } from './truths.ts'

/** One thing that speaks for, against, or would change the verdict; `text` says it in the asker's language. */
export interface Line {
  readonly code: string
  readonly text: string
  readonly role?: { readonly id: string; readonly name: string }
  /** Of a rule with a condition: what became of each part of it. */
  readonly because?: ConditionTree
}

export interface Verdict {
  readonly allowed: boolean
  /** No record was named, and it is not the same for all. */
  readonly depends: boolean
  readonly decides: Line
  readonly reasons: readonly Line[]
  readonly changes: readonly Line[]
}

/** Whose rights are explained: somebody who works here, or an API key. */
export interface Member {
  readonly id: string
  readonly name: string
  readonly state: string
}

export interface ExplainParts {
  readonly authorities: Authorities
  readonly sources: RightsSources
  readonly member: Member
  /** Whether the asker may hear which roles there are beside those of the member. */
  readonly tellsRoles: boolean
}

/** Why somebody may do a thing or not, asked of the same compiled rights that the enforcement asks. */
export async function explain(
  ctx: Context,
  { asked, record, deleted }: { asked: Asked; record: string | undefined; deleted: boolean },
  parts: ExplainParts,
): Promise<Verdict> {
  return new Explainer(ctx, asked, { parts, truths: new Truths() }).verdict(record, deleted)
}

/** What lets each of several people read a record, asked in one statement; the people are known to see it. */
export async function whyTheySee(
  ctx: Context,
  { asked, record }: { asked: Asked; record: string },
  all: readonly ExplainParts[],
): Promise<(readonly Line[])[]> {
  const truths = new Truths()
  const reasons = all.map((parts) => new Explainer(ctx, asked, { parts, truths }).reasons(record))
  await askOf(ctx, asked, record, truths)
  return reasons.map((told) => told())
}

async function askOf(ctx: Context, { resource }: Asked, record: string | undefined, truths: Truths): Promise<void> {
  if (resource && record !== undefined) await truths.ask((ctx.records as RecordEngine).scope, resource, record)
}

type Values = Readonly<Record<string, string>>
type Told = () => readonly Line[]

class Explainer {
  readonly #ctx: Context
  readonly #asked: Asked
  readonly #parts: ExplainParts
  #truths: Truths
  readonly #subject: Subject
  readonly #authority: Authority
  /** What of a rule is asked already: what speaks for and what speaks against look at the same ones. */
  #asking = new Map<Rule, { readonly holds: () => boolean; readonly because: () => ConditionTree | undefined }>()

  constructor(ctx: Context, asked: Asked, { parts, truths }: { parts: ExplainParts; truths: Truths }) {
    this.#ctx = ctx
    this.#asked = asked
    this.#parts = parts
    this.#truths = truths
    this.#subject = parts.sources.subject
    this.#authority = parts.authorities.compose(ctx.workspace, this.#subject)
  }

  /** A key stands for nobody: it owns nothing, nothing is shared with it, and its one role is its for good. */
  get #isKey(): boolean {
    return this.#subject.me === undefined
  }

  /** What lets them, once the truths are asked. */
  reasons(record: string): Told {
    return this.#pro(this.#rules(this.#asked.action), record)
  }

  async verdict(record: string | undefined, deleted: boolean): Promise<Verdict> {
    const { resource, action } = this.#asked
    const { scope } = this.#ctx.records as RecordEngine
    const isOff = resource !== undefined && !scope.exists(resource)
    const isGone = this.#parts.member.state !== 'active'
    const isLost = deleted && (action === 'update' || action === 'delete')
    const rights = enforced(this.#authority, this.#asked)
    const holds = this.#truths.of(rights.where('t'))
    const rules = this.#rules(action)
    const [pro, contra] = [this.#pro(rules, record), this.#contra(rules, rights, record)]
    await askOf(this.#ctx, this.#asked, record, this.#truths)
    const isAllowed =
      !isOff &&
      !isGone &&
      !isLost &&
      rights.isPossible &&
      (record === undefined || !resource || !isAboutRow(action) || holds())
    const first = isGone
      ? [this.#line(this.#isKey ? 'KEY_OVER' : 'ACTOR_GONE')]
      : isOff
        ? [this.#line('MODULE_OFF', { module: resource.plugin })]
        : isLost && rights.isPossible
          ? [this.#line('RECORD_DELETED')]
          : []
    const reasons = isAllowed ? pro() : [...first, ...contra()]
    const depends = isAllowed && record === undefined && !rights.everything
    return {
      allowed: isAllowed,
      depends,
      decides: reasons[0] ?? this.#line(isAllowed ? 'GRANTED' : 'NO_GRANT', this.#what()),
      reasons,
      changes: isGone
        ? [this.#line(this.#isKey ? 'MAKE_KEY' : 'ACTIVATE')]
        : isOff
          ? [this.#line('ENABLE', { module: resource.plugin })]
          : isLost
            ? [this.#line('RESTORE')]
            : await this.#tried({ rights, rules, record, isAllowed, reasons }),
    }
  }

  /** What would turn the verdict, asked once it is known: what would take a right is not tried on whoever has none. */
  async #tried({
    rights,
    rules,
    record,
    isAllowed,
    reasons,
  }: {
    rights: Enforced
    rules: Rules
    record: string | undefined
    isAllowed: boolean
    reasons: readonly Line[]
  }): Promise<readonly Line[]> {
    this.#truths = new Truths()
    this.#asking = new Map()
    const { action, field } = this.#asked
    const granting = new Set(reasons.flatMap(({ role }) => role?.id ?? []))
    // Of two roles that each let a record be read, neither is missed without the other.
    const isByMany = isAllowed && action === 'read' && field === undefined && granting.size > 1
    const changes = this.#changes({ rights, rules, record, isAllowed, isByMany, reasons })
    await askOf(this.#ctx, this.#asked, record, this.#truths)
    return changes()
  }

  #rules(action: string): Rules {
    const { authorities } = this.#parts
    const { resource, id } = this.#asked
    return authorities.rules(this.#ctx.workspace, this.#subject, { model: resource, id, action })
  }

  /** What lets them: owner, team, everything, a share, and the field's own access. */
  #pro(rules: Rules, record: string | undefined): Told {
    const { resource, action, field } = this.#asked
    const owned = resource?.fields.has('owner')
      ? this.#truths.of(sql`(t.owner is not null and t.owner = ${this.#subject.me ?? null}::uuid)`)
      : () => false
    const granting = rules.granting.map((rule) => ({
      rule,
      ...(record === undefined ? { holds: () => !rule.isBroken, because: () => undefined } : this.#asks(rule)),
    }))
    const shared = this.#shared(action)
    return () => {
      const lines = granting
        .filter(({ holds }) => holds())
        .toSorted((a, b) => weight(b.rule) - weight(a.rule))
        .map(({ rule, because }) => {
          const code =
            !resource || record === undefined
              ? `GRANT_${rule.grant.visibility.toUpperCase()}`
              : owned() && rule.grant.visibility !== 'all'
                ? 'OWNER'
                : rule.grant.visibility === 'team'
                  ? 'TEAM'
                  : rule.grant.visibility === 'own'
                    ? 'OWNER'
                    : 'ALL'
          return this.#line(code, this.#what(), rule.role, because())
        })
      const shares = record !== undefined && shared() ? [this.#line('SHARED')] : []
      const partner = rules.wall && record !== undefined ? [this.#line('PARTNER')] : []
      const fields = field === undefined ? [] : this.#fieldLines(true)
      return [...lines, ...shares, ...partner, ...fields]
    }
  }

  /** What keeps them from it, the deciding one first. */
  #contra(rules: Rules, rights: Enforced, record: string | undefined): Told {
    const { resource, id, action, field } = this.#asked
    const reading = resource && isAboutRow(action) && action !== 'read' ? this.#rules('read') : undefined
    const read = resource && this.#authority.compile(resource, 'read')
    const seen = reading && read && record !== undefined ? this.#truths.of(read.where('t')) : () => true
    const near = this.#near(rules, record)
    const nearRead = reading ? this.#near(reading, record) : undefined
    const moving =
      resource && record !== undefined && field !== undefined && action === 'update' && belongingOf(resource).has(field)
        ? this.#truths.of(this.#authority.compile(resource, 'update').granted('t'))
        : () => true
    const shared = this.#shared('read')
    const isOffered =
      !resource?.options.readonly || !isResourceAction(action) || action === 'read' || action === 'export'
    return () => {
      if (!isOffered) return [this.#line('ADMINISTERED', this.#what())]
      if (nearRead && resource && (!read?.allowed || !seen())) {
        const lines = nearRead('read', read?.allowed ?? false)
        return [this.#line('NOT_READABLE', this.#what()), ...lines]
      }
      const may =
        resource && isResourceAction(action)
          ? this.#authority.compile(resource, action).allowed
          : this.#authority.may(`${id}.${action}`)
      const lines: Line[] = [...near(action, may)]
      if (may && !moving()) lines.unshift(this.#line('SHARE_KEEPS_OWNER'))
      if (may && record !== undefined && shared() && action !== 'read' && lines.length > 0)
        lines.push(this.#line(action === 'update' ? 'SHARE_READ_ONLY' : 'SHARE_OPENS_LESS', this.#what()))
      if (!may && record !== undefined && this.#subject.shares?.resources.has(id))
        lines.push(this.#line('SHARE_WITHOUT_GRANT', this.#what()))
      const fields = may && field !== undefined && !rights.isPossible ? this.#fieldLines(false) : []
      return [...fields, ...lines]
    }
  }

  /** Of one action: denials that meet the row, else what each grant lacks, else that there is none. */
  #near(rules: Rules, record: string | undefined): (action: string, may: boolean) => readonly Line[] {
    const truth = (of: ((alias: string) => Parameters<Truths['of']>[0]) | undefined) =>
      record === undefined || !of ? () => true : this.#truths.of(of('t'))
    const denying = rules.denying.map((rule) => ({
      rule,
      ...(record === undefined
        ? {
            holds: () => rule.isBroken || (rule.grant.visibility === 'all' && rule.grant.condition === undefined),
            because: () => undefined,
          }
        : this.#asks(rule)),
    }))
    const granting = rules.granting.map((rule) => ({
      rule,
      reached: truth((alias) => rule.reach(alias)),
      ...(record === undefined ? { holds: () => true, because: () => undefined } : this.#asks(rule)),
    }))
    const wall = truth(rules.wall)
    const audience = truth(rules.audience)
    return (action, may) => {
      const what = { ...this.#what(), action: this.#actionName(action) }
      const denied = denying.filter(({ holds }) => holds())
      if (denied.length > 0)
        return denied.map(({ rule, because }) =>
          this.#line(rule.isBroken ? 'DENY_BROKEN' : 'DENY', what, rule.role, because()),
        )
      if (this.#subject.partners && !may && granting.length > 0) return [this.#line('HOUSE_ONLY', what)]
      if (granting.length === 0) {
        const ended = this.#parts.sources.roles.filter((role) => role.ended !== null && this.#covers(role, action))
        return [
          this.#line('NO_GRANT', what),
          ...ended.map((role) => this.#line('ASSIGNMENT_ENDED', { ...what, until: role.ended ?? '' }, role)),
        ]
      }
      if (record === undefined) return []
      if (!wall()) return [this.#line('WALL')]
      if (!audience()) return [this.#line('PRIVATE')]
      if (granting.some(({ holds }) => holds())) return []
      return granting.map(({ rule, reached, because }) => {
        if (rule.isBroken) return this.#line('CONDITION_BROKEN', what, rule.role)
        if (reached()) return this.#line('CONDITION_FAILED', what, rule.role, because())
        return this.#line(rule.grant.visibility === 'own' ? 'NOT_OWN' : 'NOT_TEAM', what, rule.role)
      })
    }
  }

  /** Whether a role has a grant for the action at all. */
  #covers(role: RoleRights, action: string): boolean {
    const { resource, id } = this.#asked
    const of = { ...this.#subject, roles: [role] }
    const { granting } = this.#parts.authorities.rules(this.#ctx.workspace, of, { model: resource, id, action })
    return granting.length > 0
  }

  #shared(action: string): () => boolean {
    const { resource } = this.#asked
    const shared = resource && isResourceAction(action) ? this.#authority.compile(resource, action).shared : undefined
    return shared ? this.#truths.of(sql`(t.id = any((${shared()})::uuid[]))`) : () => false
  }

  #fieldLines(isOpen: boolean): readonly Line[] {
    const { resource, action, field = '' } = this.#asked
    const model = resource?.fields.get(field)
    if (!resource || !model) return []
    const name = this.#fieldName(resource, field)
    const isWriting = action === 'create' || action === 'update' || action === 'import'
    if (isWriting && model.readonly) return [this.#line('FIELD_COMPUTED', { field: name })]
    if (!isWriting && systemFields.has(field)) return [this.#line('FIELD_ALWAYS', { field: name })]
    if (!isWriting && model.needs !== undefined && !this.#authority.may(model.needs))
      return [this.#line('FIELD_NEEDS', { field: name, permission: model.needs })]
    const access = this.#authority.compile(resource, 'read')
    const code = isOpen
      ? 'FIELD_OPEN'
      : isWriting
        ? 'FIELD_NOT_WRITABLE'
        : access.masked(field)
          ? 'FIELD_MASKED'
          : 'FIELD_CLOSED'
    const rules = fieldRules(this.#subject, { resource: resource.id, field, writing: isWriting })
    const fits = (given: string) => (isWriting ? given === 'write' : given === 'read' || given === 'write')
    const deciding = rules.filter(({ access: given }) => fits(given) === isOpen)
    const sources = [...(model.formula?.reads ?? []), ...(model.derivedFrom ?? [])]
    // Whoever may write a field may, whatever they read of what it is made of; but not what is a mask to them.
    const hidden = isWriting && !access.masked(field) ? [] : sources.filter((it) => !access.readable(it))
    if (!isOpen && hidden.length > 0)
      return hidden.map((it) => this.#line('FIELD_OF_FORMULA', { field: name, other: this.#fieldName(resource, it) }))
    if (deciding.length === 0) return [this.#line(code, { field: name })]
    return deciding.map(({ role }) => this.#line(code, { field: name }, role))
  }

  /** What would turn the verdict, each tried on the same compiler before it is said. */
  #changes({
    rights,
    rules,
    record,
    isAllowed,
    isByMany,
    reasons,
  }: {
    rights: Enforced
    rules: Rules
    record: string | undefined
    isAllowed: boolean
    isByMany: boolean
    reasons: readonly Line[]
  }): Told {
    const { sources, authorities, tellsRoles } = this.#parts
    const { resource, action } = this.#asked
    const isRow = record !== undefined && resource !== undefined && isAboutRow(action)
    const tried = (roles: readonly RoleRights[], of: Partial<Subject> = {}) => {
      const other = enforced(authorities.compose(this.#ctx.workspace, { ...this.#subject, ...of, roles }), this.#asked)
      const holds = isRow ? this.#truths.of(other.where('t')) : () => true
      return () => other.isPossible && holds()
    }
    const held = new Set(this.#subject.roleIds ?? [])
    const own = sources.roles.filter(({ id }) => held.has(id))
    const shared = this.#shared(action)
    if (isAllowed && this.#isKey) return () => [this.#line('REVOKE_KEY')]
    if (isAllowed) {
      const candidates = isByMany ? [] : this.#missed(own, { rules, reasons, isRow })
      const without = candidates.map((role) => ({
        role,
        allowed: tried(this.#subject.roles.filter(({ id }) => id !== role.id)),
      }))
      return () => {
        const lost = without.filter(({ allowed }) => !allowed()).map(({ role }) => this.#line('TAKE_ROLE', {}, role))
        return [...lost, ...(isRow && shared() ? [this.#line('END_SHARE')] : [])]
      }
    }
    const undenied = own
      .filter((role) => [...rules.denying].some((rule) => rule.role.id === role.id))
      .map((role) => ({
        role,
        allowed: tried(
          this.#subject.roles.map((it) =>
            it.id === role.id ? { ...it, grants: it.grants.filter(({ deny }) => !deny) } : it,
          ),
        ),
      }))
    const others = sources.roles
      .filter(({ id }) => !held.has(id))
      .slice(0, mostTried)
      .map((role) => ({
        role,
        allowed: this.#isKey
          ? tried([role], { roleIds: [role.id] })
          : tried([...this.#subject.roles, role], { roleIds: [...held, role.id] }),
      }))
    const share = isRow && !this.#isKey ? this.#sharing(resource, action) : () => false
    const owner = isRow && !this.#isKey ? this.#owning(rules) : () => false
    return () => {
      const given = others.filter(({ allowed }) => allowed()).map(({ role }) => this.#roleLine(role))
      const lines = [
        ...undenied.filter(({ allowed }) => allowed()).map(({ role }) => this.#line('REMOVE_DENY', {}, role)),
        ...(share() ? [this.#line('SHARE', this.#what())] : []),
        ...(rights.isPossible && owner() ? [this.#line('MAKE_OWNER')] : []),
        ...(tellsRoles ? given.slice(0, mostTold) : []),
      ]
      return lines.length > 0 || tellsRoles ? lines : [this.#line('ASK_ADMINISTRATOR')]
    }
  }

  /**
   * Roles without which it might not be allowed. Reading a record takes one grant that holds, and beside a share any grant at
   * all: where several roles have one, those whose grants do not hold are not missed.
   */
  #missed(
    own: readonly NamedRole[],
    { rules, reasons, isRow }: { rules: Rules; reasons: readonly Line[]; isRow: boolean },
  ): readonly NamedRole[] {
    const { action, field } = this.#asked
    const granting = new Set(rules.granting.map(({ role }) => role.id))
    if (!isRow || action !== 'read' || field !== undefined || granting.size < 2) return own
    const telling = new Set(reasons.map(({ role }) => role?.id))
    return own.filter(({ id }) => telling.has(id))
  }

  #roleLine(role: NamedRole): Line {
    if (this.#isKey) return this.#line('KEY_OF_ROLE', {}, role)
    return role.ended === null
      ? this.#line('GIVE_ROLE', {}, role)
      : this.#line('RENEW_ROLE', { until: role.ended }, role)
  }

  /** A share would do it: every action needed is granted for something, and nothing denies it here. */
  #sharing(resource: Resource, action: string): () => boolean {
    if (!isShareable(resource) || !['read', 'export', 'update'].includes(action) || this.#subject.partners)
      return () => false
    const denials = ['read', action].flatMap((it) =>
      this.#rules(it).denying.map((rule) => this.#truths.of(rule.holds('t'))),
    )
    const field = this.#asked.field
    const isMoving = field !== undefined && belongingOf(resource).has(field) && action === 'update'
    const may = enforced(this.#authority, this.#asked).isPossible
    return () => may && !isMoving && denials.every((denial) => !denial())
  }

  /** Owning it would do it: a grant that reaches one's own holds but for that. */
  #owning(rules: Rules): () => boolean {
    const { resource, action } = this.#asked
    if (!resource?.fields.has('owner') || resource.audience || this.#subject.partners || !isResourceAction(action))
      return () => false
    const needed = action === 'read' ? [rules] : [rules, this.#rules('read')]
    const all = needed.map(({ granting, denying }) => ({
      fits: granting
        .filter(({ grant, condition }) => grant.condition === undefined || condition !== undefined)
        .map((rule) => (rule.condition ? this.#tree(rule.condition) : () => ({ result: true }))),
      // What denies one's own records would deny this one then.
      denied: denying.length > 0,
    }))
    return () => all.every(({ fits, denied }) => !denied && fits.some((it) => it().result))
  }

  /** Whether a rule holds of the record, and what became of its condition. */
  #asks(rule: Rule) {
    let asked = this.#asking.get(rule)
    if (!asked) {
      const { condition } = rule
      const because = condition && this.#mayRead(condition) ? this.#tree(condition) : () => undefined
      asked = { holds: this.#truths.of(rule.holds('t')), because }
      this.#asking.set(rule, asked)
    }
    return asked
  }

  #tree(condition: CheckedExpression): () => ConditionTree {
    const { clock, workspace } = this.#ctx
    const { me } = this.#subject
    return conditionTree(condition, this.#truths, {
      now: clock.now(),
      zone: workspace.zone,
      ...(me === undefined ? {} : { userId: me }),
    })
  }

  /**
   * A condition is the administrator's, and may look at what the asker may not read, in this record or in one it points at:
   * then it is not told.
   */
  #mayRead({ expression, paths }: CheckedExpression): boolean {
    const { scope } = this.#ctx.records as RecordEngine
    const { resource } = this.#asked
    if (!resource) return false
    const isCrossing = paths.some((path) => path.includes('.'))
    try {
      checkExpression(expression, {
        resource,
        catalog: scope.catalog,
        access: {
          readable(id, field) {
            const access = scope.access(scope.catalog.of(id), 'read')
            const isWithin = access.everything || (id === resource.id && !isCrossing)
            return access.allowed && isWithin && access.readable(field)
          },
        },
      })
      return true
    } catch {
      return false
    }
  }

  #what(): Values {
    const { resource, id, action } = this.#asked
    return {
      name: this.#parts.member.name,
      resource: resource ? this.#ctx.t(`${id}.many`) : id,
      action: this.#actionName(action),
      permission: `${id}.${action}`,
    }
  }

  #actionName(action: string): string {
    const key = `explain.action.${action}`
    const name = this.#ctx.t(key)
    return name === key ? action : name
  }

  #fieldName({ id, fields }: Resource, field: string): string {
    return fields.get(field)?.label?.[this.#ctx.locale] ?? this.#ctx.t(`${id}.${field}`)
  }

  #line(code: string, values: Values = {}, role?: RoleRights, because?: ConditionTree): Line {
    const named = role && this.#parts.sources.roles.find(({ id }) => id === role.id)
    const name = named && roleName(this.#ctx, named)
    const own = role ? (name ?? this.#ctx.t('explain.everybody')) : ''
    return {
      code,
      text: this.#ctx.t(`explain.${code}`, {
        ...this.#what(),
        ...values,
        role: own,
        until: this.#instant(values['until']),
      }),
      ...(named && name !== undefined ? { role: { id: named.id, name } } : {}),
      ...(because ? { because } : {}),
    }
  }

  #instant(at: string | undefined): string {
    if (!at) return ''
    const { locale, workspace } = this.#ctx
    return new Intl.DateTimeFormat(locale, {
      dateStyle: 'medium',
      timeStyle: 'short',
      timeZone: workspace.zone,
    }).format(new Date(at))
  }
}

// A workspace has a dozen roles; of hundreds the first do.
const mostTried = 100
const mostTold = 10

function weight({ grant }: Rule): number {
  return { own: 2, team: 1, all: 0 }[grant.visibility]
}
