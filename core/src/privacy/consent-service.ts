import { createHash } from 'node:crypto'
import { sql, type RawBuilder } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Context } from '../context.ts'
import { contacts } from '../entities/resources.ts'
import { addressOf, hashOf, hashSet, type Address, type Channel } from './addresses.ts'
import {
  OptOutRecorded,
  type ChannelState,
  type ConsentRecord,
  type Consents,
  type ContactQuestion,
  type Person,
  type RefusalReason,
} from './consents.ts'
import { addressUnreadable, consentInTheFuture, consentOfNobody, personUnknown, proofOfAnother } from './errors.ts'
import type { PrivacyKeys } from './keys.ts'
import { demandPerson } from './person.ts'

/** The channels a state is told of, in the order they are shown. */
const shown = ['mail', 'sms', 'phone', 'post'] as const

/** Fields of a contact that say what the base says, so that lists and filters know it. */
export const mirrored = [
  { field: 'doNotMail', channel: 'mail' },
  { field: 'doNotCall', channel: 'phone' },
] as const

interface Standing {
  readonly id: string
  readonly channel: Channel
  readonly scope: string
  readonly action: ConsentRecord['action']
  readonly source: string
  readonly at: string
  readonly by: 'person' | 'address'
}

export class ConsentService implements Consents {
  readonly #ctx: Context
  readonly #keys: PrivacyKeys

  constructor(ctx: Context, keys: PrivacyKeys) {
    this.#ctx = ctx
    this.#keys = keys
  }

  async record(consent: ConsentRecord): Promise<{ id: string; recorded: boolean }> {
    if (consent.person) await this.#demandPerson(consent.person)
    const kept = await this.keep(consent)
    if (kept.recorded && consent.person) await this.#mirror(consent.person)
    return kept
  }

  /** Writes the row and tells of it; the contact's own fields are the caller's. */
  async keep(consent: ConsentRecord): Promise<{ id: string; recorded: boolean }> {
    const { sql: tx, workspace, clock, actor } = this.#ctx
    const { person, channel, scope = 'all', action, source, wording, proofKey } = consent
    const now = clock.now().toISOString()
    // As instants: written with another offset, a later one may come first in the alphabet.
    const at = consent.at === undefined ? now : new Date(consent.at).toISOString()
    if (at > now) throw consentInTheFuture({ at })
    const address = consent.address === undefined ? undefined : this.addressHash(channel, consent.address)
    if (consent.address !== undefined && !address) throw addressUnreadable({ channel })
    if (!person && !address) throw consentOfNobody({})
    const id = uuidv7()
    const key = this.#keys.hash(workspace.id, 'proof', proofKey ?? id)
    const hash = wording ? createHash('sha256').update(wording.text).digest() : null
    if (wording) {
      await sql`insert into core.consent_wording (workspace, hash, wording, at)
        values (${workspace.id}::uuid, ${hash}, ${wording.text}, ${now}::timestamptz) on conflict do nothing`.execute(
        tx,
      )
    }
    const { rows } = await sql<{ id: string }>`
      insert into core.opt_out (id, workspace, person_resource, person, address_hash, channel, scope, action, source, wording_id,
        wording_hash, proof_key, at, recorded_at, recorded_by, recorded_by_type)
      values (${id}::uuid, ${workspace.id}::uuid, ${person?.resource ?? null}, ${person?.record ?? null}::uuid, ${address ?? null}, ${channel},
        ${scope}, ${action}, ${source}, ${wording?.id ?? null}, ${hash}, ${key}, ${at}::timestamptz, ${now}::timestamptz,
        ${actor.id ?? null}::uuid, ${actor.type})
      on conflict (workspace, proof_key) do nothing returning id`.execute(tx)
    if (rows.length === 0) {
      const { rows: first } = await sql<{ id: string; isSame: boolean }>`
        select id, (person_resource, person, address_hash, channel, scope, action, wording_hash)
          is not distinct from (${person?.resource ?? null}::text, ${person?.record ?? null}::uuid, ${address ?? null}::bytea, ${channel}::text, ${scope}::text,
            ${action}::text, ${hash}::bytea) ${consent.at === undefined ? sql`` : sql`and at = ${at}::timestamptz`} as "isSame"
        from core.opt_out where workspace = ${workspace.id}::uuid and proof_key = ${key}`.execute(tx)
      if (first[0]?.isSame === false) throw proofOfAnother({ id: first[0].id })
      return { id: first[0]?.id ?? id, recorded: false }
    }
    this.#ctx.emit(
      OptOutRecorded,
      {
        optOut: id,
        resource: person?.resource ?? null,
        person: person?.record ?? null,
        channel,
        scope,
        action,
      },
      { key: person?.record ?? id },
    )
    return { id, recorded: true }
  }

  async stateAt(person: Person, at?: string): Promise<readonly ChannelState[]> {
    const rows = await this.#standing(person, at)
    const topics = [...new Set(rows.map(({ scope }) => scope))].filter((scope) => scope !== 'all').toSorted()
    const suppressed = await this.#suppressed(person, at)
    return ['all', ...topics].flatMap((scope) =>
      shown.map((channel): ChannelState => {
        const since = suppressed.get(channel) ?? suppressed.get('any')
        if (since !== undefined) return { channel, scope, state: 'suppressed', since, optOut: null }
        const covering = rows.filter(
          (row) => (row.channel === channel || row.channel === 'any') && (row.scope === scope || row.scope === 'all'),
        )
        // Newest first; person and address are each asked alone, and either refusal holds.
        const last = (['person', 'address'] as const).flatMap((by) => covering.find((row) => row.by === by) ?? [])
        const refusing = last.find(({ action }) => action !== 'reversal')
        const deciding = refusing ?? last[0]
        return {
          channel,
          scope,
          state: refusing ? 'opted-out' : 'open',
          since: deciding?.at ?? null,
          optOut: deciding?.id ?? null,
        }
      }),
    )
  }

  addressHash(channel: Channel, address: string): Buffer | undefined {
    const found = addressOf(channel, address, this.#ctx.workspace.zone)
    return found && hashOf(this.#keys, this.#ctx.workspace.id, found)
  }

  refusal({ channel, address, person, scope = 'all' }: ContactQuestion): RawBuilder<RefusalReason | null> {
    return sql<RefusalReason | null>`core.contact_refusal(${channel}, ${address}, ${person?.resource ?? sql`null`}, ${person?.record ?? sql`null`}, ${scope})`
  }

  /** Whether an objection stands on a channel that came by more than the contact's own field. */
  async objection(person: Person, channel: Channel): Promise<{ readonly stands: boolean; readonly proven: boolean }> {
    const { sql: tx, workspace } = this.#ctx
    // Of their addresses nothing is asked: what was said about one is no word of the person's.
    const { rows } = await sql<Pick<Standing, 'action' | 'source'>>`
      select o.action, o.source from core.same_person(${person.resource}, ${person.record}::uuid) p
      cross join lateral (
        select * from core.opt_out o
        where o.workspace = ${workspace.id}::uuid and o.person = p.record and o.person_resource = p.resource
          and o.scope = 'all' and o.channel in (${channel}, 'any') offset 0) o
      order by o.at desc, o.position desc limit 1`.execute(tx)
    const [last] = rows
    const stands = last !== undefined && last.action !== 'reversal'
    return { stands, proven: stands && last.source !== fieldSource }
  }

  /** What the person has of addresses, in the form they are compared in. */
  async addressesOf(person: Person): Promise<readonly Address[]> {
    const { sql: tx, workspace } = this.#ctx
    const { rows } = await sql<{ email: string | null; phone: string | null; mobile: string | null }>`
      select c.email, coalesce(c.phone_norm, c.phone) as phone, coalesce(c.mobile_norm, c.mobile) as mobile
      from core.same_person(${person.resource}, ${person.record}::uuid) p
        cross join lateral (select * from core.contact c where c.workspace = ${workspace.id}::uuid and c.id = p.record offset 0) c
      where p.resource = 'core.contact'
      union all
      select l.email, coalesce(l.phone_norm, l.phone), null
      from core.same_person(${person.resource}, ${person.record}::uuid) p
        cross join lateral (select * from core.lead l where l.workspace = ${workspace.id}::uuid and l.id = p.record offset 0) l
      where p.resource = 'core.lead'
      union all
      select a.email, coalesce(a.phone_norm, a.phone), null
      from core.same_person(${person.resource}, ${person.record}::uuid) p
        cross join lateral (select * from core.account a where a.workspace = ${workspace.id}::uuid and a.id = p.record offset 0) a
      where p.resource = 'core.account'`.execute(tx)
    const found = new Map<string, Address>()
    for (const { email, phone, mobile } of rows) {
      for (const [channel, value] of [
        ['mail', email],
        ['phone', phone],
        ['phone', mobile],
      ] as const) {
        const address = value === null ? undefined : addressOf(channel, value, workspace.zone)
        if (address) found.set(`${address.kind} ${address.value}`, address)
      }
    }
    return [...found.values()]
  }

  /** SQL of the set of keyed hashes of the person's addresses. */
  async #hashesOf(person: Person): Promise<RawBuilder<unknown>> {
    return hashSet(
      (await this.addressesOf(person)).map((address) => hashOf(this.#keys, this.#ctx.workspace.id, address)),
    )
  }

  /** Everything said by the person and about their addresses, newest first. */
  async #standing(person: Person, at?: string): Promise<readonly Standing[]> {
    const { sql: tx, workspace } = this.#ctx
    const until = at === undefined ? sql`` : sql`and o.at <= ${at}::timestamptz`
    const { rows } = await sql<Standing>`
      select o.id, o.channel, o.scope, o.action, o.source, o.at, 'person' as by, o.position
      from core.same_person(${person.resource}, ${person.record}::uuid) p
      cross join lateral (
        select * from core.opt_out o
        where o.workspace = ${workspace.id}::uuid and o.person = p.record and o.person_resource = p.resource ${until} offset 0) o
      union all
      select o.id, o.channel, o.scope, o.action, o.source, o.at, 'address', o.position
      from ${await this.#hashesOf(person)} address cross join lateral (
        select * from core.opt_out o where o.workspace = ${workspace.id}::uuid and o.address_hash = address.hash ${until} offset 0) o
      order by at desc, position desc`.execute(tx)
    return rows
  }

  async #suppressed(person: Person, at?: string): Promise<ReadonlyMap<string, string>> {
    const { sql: tx, workspace, clock } = this.#ctx
    const when = at ?? clock.now().toISOString()
    const { rows } = await sql<{ channel: string; at: string }>`
      select last.channel, last.at from (
        select distinct on (l.address_hash, l.channel) l.channel, l.action, l.at from core.suppression_line l
        where l.workspace = ${workspace.id}::uuid and l.address_hash in ${await this.#hashesOf(person)} and l.at <= ${when}::timestamptz
        order by l.address_hash, l.channel, l.at desc, l.position desc) last
      where last.action = 'suppressed'`.execute(tx)
    return new Map(rows.map((row) => [row.channel, row.at]))
  }

  async #demandPerson({ resource, record }: Person): Promise<void> {
    await demandPerson(this.#ctx, { resource, record }).catch((error: unknown) => {
      // An objection by its address alone needs no record; one of a person is of somebody the actor may see.
      if ((error as { code?: unknown }).code === 'RECORD_NOT_FOUND') throw personUnknown({ resource, id: record })
      throw error
    })
  }

  /** The contact's fields follow what the base says of its own person. */
  async #mirror(person: Person): Promise<void> {
    const { records } = this.#ctx.asSystem()
    const { sql: tx, workspace } = this.#ctx
    const { rows } = await sql<{ id: string; version: number; doNotMail: boolean; doNotCall: boolean }>`
      select c.id, c.version, c.do_not_mail as "doNotMail", c.do_not_call as "doNotCall"
      from core.same_person(${person.resource}, ${person.record}::uuid) p
        cross join lateral (select * from core.contact c where c.workspace = ${workspace.id}::uuid and c.id = p.record offset 0) c
      where p.resource = 'core.contact' and c.deleted_at is null`.execute(tx)
    for (const contact of rows) {
      const values: Record<string, boolean> = {}
      for (const { field, channel } of mirrored) {
        const { stands } = await this.objection({ resource: 'core.contact', record: contact.id }, channel)
        if (stands !== contact[field]) values[field] = stands
      }
      if (Object.keys(values).length > 0) await records.update(contacts, contact, values, { internal: true })
    }
  }
}

/** Source of an objection that was ticked on a contact, with no other proof than who did. */
export const fieldSource = 'record'
