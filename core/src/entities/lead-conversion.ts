import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { SocleError } from '../errors.ts'
import { defineEvent } from '../events/event.ts'
import { definePoint } from '../plugins/tokens.ts'
import type { ResourceDefinition } from '../records/define-resource.ts'
import { recordNotFound, validationFailed } from '../records/errors.ts'
import type { RecordJson } from '../records/records.ts'
import { schemaFaults } from '../schema-faults.ts'
import {
  conversionDisagrees,
  conversionEmpty,
  conversionTargetUnknown,
  leadAlreadyConverted,
  leadNotConverted,
  refuseValue,
} from './errors.ts'
import { leadTransitions, type LeadStatus } from './lead.ts'
import { accounts, activities, contacts, leads } from './resources.ts'
import { assertTransition } from './transitions.ts'
import { textOf } from './values.ts'

/** One record by resource and id. */
export interface RecordLink {
  readonly resource: string
  readonly id: string
}

/** What a conversion came to so far, as a target sees it. */
export interface LeadConversion {
  readonly lead: RecordJson
  readonly account: string | undefined
  readonly contact: string | undefined
}

/** Something a lead can become beside account and contact, such as an opportunity; plugins contribute theirs. */
export interface LeadTarget {
  /** Key under `targets` in the request. */
  readonly id: string
  readonly input: z.ZodType
  /** Makes or finds the record, in the conversion's unit: a refusal undoes all of it. `made` says that it is new. */
  convert(input: unknown, conversion: LeadConversion, ctx: Context): Promise<RecordLink & { readonly made: boolean }>
}
export const LeadTargets = definePoint<LeadTarget>('core/lead-targets@1')

export const LeadConverted = defineEvent('core.lead.converted', {
  version: 1,
  payload: z.object({
    lead: z.uuid(),
    account: z.uuid().nullable(),
    contact: z.uuid().nullable(),
    targets: z.array(z.object({ resource: z.string(), id: z.uuid() })),
  }),
})

export const LeadReverted = defineEvent('core.lead.reverted', {
  version: 1,
  payload: z.object({ lead: z.uuid(), kept: z.array(z.object({ resource: z.string(), id: z.uuid() })) }),
})

const values = z.record(z.string(), z.unknown())
const choice = z.union([z.strictObject({ id: z.uuid() }), z.strictObject({ create: values })]).nullable()

export const conversionRequest = z.strictObject({
  version: z.int().min(1).optional(),
  /** An existing account, a new one (fields the lead does not say), or none. */
  account: choice.default({ create: {} }),
  contact: choice.default({ create: {} }),
  /** By id of the target, e.g. `{ "opportunity": { … } }`; what is absent is not made. */
  targets: values.default({}),
  acknowledge: z.array(z.string()).optional(),
})
export type ConversionRequest = z.output<typeof conversionRequest>

export interface ConversionResult {
  readonly lead: RecordJson
  readonly account: string | null
  readonly contact: string | null
  readonly targets: Readonly<Record<string, RecordLink>>
}

interface Made extends RecordLink {
  readonly version: number
}

interface MovedActivity {
  readonly id: string
  readonly account?: string
  readonly contact?: string
}

/** What a lead that is not converted points at. */
export const unconverted = { convertedAt: null, account: null, contact: null, targetResource: null, targetRecord: null }

/** Turns leads into accounts, contacts and what plugins offer, and back. Each is all or nothing. */
export class LeadConversions {
  readonly #ctx: Context

  constructor(ctx: Context) {
    this.#ctx = ctx
  }

  /** @throws `TRANSITION_REFUSED` (409) with what was made, when it is converted already; `DUPLICATE_SUSPECTED` and other refusals of what it makes */
  async convert(id: string, request: ConversionRequest): Promise<ConversionResult> {
    const { records, clock } = this.#ctx
    const lead = await this.#locked(id)
    const name = records.nameOf(leads, lead)
    const status = lead['status'] as LeadStatus
    if (status === 'converted')
      throw leadAlreadyConverted({ name }, { account: lead['account'], contact: lead['contact'] })
    // Converting a lead says that it is qualified; only one that was given up must be taken up again first.
    if (status === 'unqualified') assertTransition(leadTransitions, name, status, 'converted')
    if (request.account === null && request.contact === null) throw conversionEmpty({ name })

    const acknowledge = request.acknowledge ? { acknowledge: request.acknowledge } : {}
    const made: Made[] = []
    const make = async (
      resource: ResourceDefinition,
      resourceId: string,
      fields: Readonly<Record<string, unknown>>,
    ) => {
      const record = await records.create(resource, fields, acknowledge)
      made.push({ resource: resourceId, id: record.id, version: record.version })
      return record.id
    }
    const account = await this.#account(lead, request, make)
    const contact = await this.#contact(lead, account, request, make)

    const targets: Record<string, RecordLink> = {}
    for (const target of this.#targets(request)) {
      const link = await target.convert(inputOf(target, request), { lead, account, contact }, this.#ctx)
      targets[target.id] = { resource: link.resource, id: link.id }
      if (link.made) made.push({ resource: link.resource, id: link.id, version: 1 })
    }

    const moved = await this.#moveActivities(id, account, contact)
    const [first] = Object.values(targets)
    const became = {
      account: account ?? null,
      contact: contact ?? null,
      targetResource: first?.resource ?? null,
      targetRecord: first?.id ?? null,
    }
    await sql`
      insert into core.lead_conversion (workspace, lead_id, made, became, moved)
      values (${this.#ctx.workspace.id}::uuid, ${id}::uuid, ${JSON.stringify(made)}::jsonb,
        ${JSON.stringify(became)}::jsonb, ${JSON.stringify(moved)}::jsonb)
      on conflict (workspace, lead_id) do update
        set made = excluded.made, became = excluded.became, moved = excluded.moved`.execute(this.#ctx.sql)
    const converted = await records.update(
      leads,
      { id, version: request.version ?? lead.version },
      { status: 'converted', convertedAt: clock.now().toISOString(), ...became },
      { internal: true, ...acknowledge },
    )
    this.#ctx.emit(
      LeadConverted,
      { lead: id, account: account ?? null, contact: contact ?? null, targets: Object.values(targets) },
      { key: id },
    )
    return { lead: converted, account: account ?? null, contact: contact ?? null, targets }
  }

  /**
   * Takes a conversion back: what it made goes where nobody touched or used it since, and stays, listed, otherwise.
   *
   * @throws `TRANSITION_REFUSED` (409) when the lead is not converted
   */
  async revert(id: string, version: number | undefined): Promise<{ lead: RecordJson; kept: RecordLink[] }> {
    const { records, sql: tx, workspace } = this.#ctx
    const lead = await this.#locked(id)
    if (lead['status'] !== 'converted')
      throw leadNotConverted({ name: records.nameOf(leads, lead), status: String(lead['status']) })
    const { rows } = await sql<{ made: Made[]; moved: MovedActivity[] }>`
      select made, moved from core.lead_conversion where workspace = ${workspace.id}::uuid and lead_id = ${id}::uuid`.execute(
      tx,
    )
    const { made, moved } = rows[0] ?? { made: [], moved: [] }
    const reverted = await records.update(
      leads,
      { id, version: version ?? lead.version },
      { status: 'qualified', ...unconverted },
      { internal: true },
    )
    await this.#moveActivitiesBack(moved)
    const kept: RecordLink[] = []
    // Last made first, and what was made before a record that stays does too: an opportunity leans on its account.
    for (const { resource, id: record, version: then } of made.toReversed()) {
      if (kept.length > 0 || !(await this.#removeUntouched(resource, record, then))) kept.push({ resource, id: record })
    }
    this.#ctx.emit(LeadReverted, { lead: id, kept }, { key: id })
    return { lead: reverted, kept }
  }

  /** Held before it is read, so that a double click converts once. */
  async #locked(id: string): Promise<RecordJson> {
    const { records, sql: tx, workspace } = this.#ctx
    await sql`select 1 from core.lead where workspace = ${workspace.id}::uuid and id = ${id}::uuid for update`.execute(
      tx,
    )
    const { data } = await records.get(leads, id)
    if (data['deletedAt']) throw recordNotFound({ resource: 'lead', id })
    return data
  }

  async #account(lead: RecordJson, { account }: ConversionRequest, make: Make): Promise<string | undefined> {
    if (account === null) return undefined
    if ('id' in account) return (await this.#ctx.records.get(accounts, account.id)).data.id
    const isCompany = textOf(lead['companyName']) !== undefined
    return make(accounts as ResourceDefinition, 'core.account', {
      name: lead['companyName'] ?? lead['name'],
      kind: isCompany ? 'organisation' : 'person',
      lifecycle: 'prospect',
      ...taken(
        lead,
        isCompany
          ? ['source', 'sourceChannel', 'city', 'country', 'owner', 'team']
          : ['source', 'sourceChannel', 'city', 'country', 'email', 'phone', 'owner', 'team'],
      ),
      ...account.create,
    })
  }

  async #contact(
    lead: RecordJson,
    account: string | undefined,
    { contact }: ConversionRequest,
    make: Make,
  ): Promise<string | undefined> {
    if (contact === null) return undefined
    if ('create' in contact) {
      return make(contacts as ResourceDefinition, 'core.contact', {
        ...taken(lead, [
          'firstName',
          'lastName',
          'jobTitle',
          'email',
          'phone',
          'source',
          'sourceChannel',
          'owner',
          'team',
        ]),
        ...(textOf(lead['firstName']) === undefined &&
        textOf(lead['lastName']) === undefined &&
        textOf(lead['email']) === undefined
          ? { lastName: lead['name'] }
          : {}),
        ...(account === undefined ? {} : { account }),
        ...contact.create,
      })
    }
    const { data } = await this.#ctx.records.get(contacts, contact.id)
    const works = textOf(data['account'])
    if (account !== undefined && works === undefined) {
      await this.#ctx.records.update(contacts, { id: data.id, version: data.version }, { account })
    } else if (account !== undefined && works !== account && !(await this.#worksAt(data.id, account))) {
      const { data: other } = await this.#ctx.records.get(accounts, account)
      const { records } = this.#ctx
      throw conversionDisagrees({ contact: records.nameOf(contacts, data), account: records.nameOf(accounts, other) })
    }
    return data.id
  }

  async #worksAt(contact: string, account: string): Promise<boolean> {
    const { rows } = await sql`
      select 1 from core.account_contact
      where workspace = ${this.#ctx.workspace.id}::uuid and contact_id = ${contact}::uuid and account_id = ${account}::uuid
        and to_date is null and deleted_at is null`.execute(this.#ctx.sql)
    return rows.length > 0
  }

  #targets({ targets }: ConversionRequest): LeadTarget[] {
    const offered = new Map(this.#ctx.contributions(LeadTargets).map((target) => [target.id, target]))
    return Object.keys(targets).map((id) => {
      const target = offered.get(id)
      if (!target)
        throw refuseValue(`/targets/${id}`, conversionTargetUnknown, {
          target: id,
          known: [...offered.keys()].join(', ') || '–',
        })
      return target
    })
  }

  /** The lead's timeline follows: its activities show at the account and the contact too. */
  async #moveActivities(
    lead: string,
    account: string | undefined,
    contact: string | undefined,
  ): Promise<MovedActivity[]> {
    const { records } = this.#ctx.asSystem()
    const { rows } = await sql<{ id: string; version: number; account_id: string | null; contact_id: string | null }>`
      select id, version, account_id, contact_id from core.activity
      where workspace = ${this.#ctx.workspace.id}::uuid and lead_id = ${lead}::uuid and deleted_at is null order by id`.execute(
      this.#ctx.sql,
    )
    const moved: MovedActivity[] = []
    for (const row of rows) {
      const filled = {
        ...(account !== undefined && row.account_id === null ? { account } : {}),
        ...(contact !== undefined && row.contact_id === null ? { contact } : {}),
      }
      if (Object.keys(filled).length === 0) continue
      await records.update(activities, row, filled)
      moved.push({ id: row.id, ...filled })
    }
    return moved
  }

  async #moveActivitiesBack(moved: readonly MovedActivity[]): Promise<void> {
    const { records } = this.#ctx.asSystem()
    for (const { id, account, contact } of moved) {
      const { rows } = await sql<{ version: number; account_id: string | null; contact_id: string | null }>`
        select version, account_id, contact_id from core.activity
        where workspace = ${this.#ctx.workspace.id}::uuid and id = ${id}::uuid and deleted_at is null`.execute(
        this.#ctx.sql,
      )
      const [row] = rows
      if (!row) continue
      // Only what still is as the conversion left it.
      const emptied = {
        ...(account !== undefined && row.account_id === account ? { account: null } : {}),
        ...(contact !== undefined && row.contact_id === contact ? { contact: null } : {}),
      }
      await records.update(activities, { id, version: row.version }, emptied)
    }
  }

  async #removeUntouched(resource: string, id: string, version: number): Promise<boolean> {
    const { records } = this.#ctx.asSystem()
    if (await this.#isUsed(resource, id)) return false
    try {
      const { data } = await records.get(resource, id)
      if (data.version !== version) return false
      await records.remove(resource, { id, version })
      return true
    } catch (error) {
      // Somebody deleted it meanwhile: nothing is left to take back.
      if (error instanceof SocleError && error.status === 404) return true
      throw error
    }
  }

  async #isUsed(resource: string, id: string): Promise<boolean> {
    const { rows } = await sql<{ used: boolean }>`
      select exists (select from core.activity_link l join core.activity a on a.id = l.activity_id and a.deleted_at is null
                     where l.workspace = ${this.#ctx.workspace.id}::uuid and l.record = ${id}::uuid)
          or exists (select from core.account where workspace = ${this.#ctx.workspace.id}::uuid and parent_id = ${id}::uuid and deleted_at is null)
          or exists (select from core.contact where workspace = ${this.#ctx.workspace.id}::uuid and (account_id = ${id}::uuid or reports_to_id = ${id}::uuid) and deleted_at is null)
          or exists (select from core."order" where workspace = ${this.#ctx.workspace.id}::uuid and (account_id = ${id}::uuid or contact_id = ${id}::uuid) and deleted_at is null)
          or exists (select from core.invoice where workspace = ${this.#ctx.workspace.id}::uuid and (account_id = ${id}::uuid or contact_id = ${id}::uuid) and deleted_at is null)
        as used`.execute(this.#ctx.sql)
    return rows[0]?.used === true && (resource === 'core.account' || resource === 'core.contact')
  }
}

function inputOf(target: LeadTarget, { targets }: ConversionRequest): unknown {
  const parsed = target.input.safeParse(targets[target.id])
  if (parsed.success) return parsed.data
  const errors = schemaFaults(parsed.error, targets[target.id], `/targets/${target.id}`)
  throw validationFailed({ count: errors.length, first: errors[0]?.detail ?? '' }, { errors })
}

type Make = (
  resource: ResourceDefinition,
  resourceId: string,
  fields: Readonly<Record<string, unknown>>,
) => Promise<string>

/** The fields of a lead that have a value, as the record it becomes takes them. */
function taken(lead: RecordJson, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    fields.filter((field) => lead[field] !== undefined && lead[field] !== null).map((field) => [field, lead[field]]),
  )
}
