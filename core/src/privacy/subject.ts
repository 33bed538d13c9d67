import { sql } from 'kysely'
import { isMobile } from '../entities/phones.ts'
import { fieldValue } from '../records/field-value.ts'
import { fold } from '../records/expression/index.ts'
import { columnsOf, tableOf } from '../records/read.ts'
import type { RecordJson } from '../records/records.ts'
import type { Resource } from '../records/registry.ts'
import type { EngineScope } from '../records/scope.ts'
import { addressOf, type Address } from './addresses.ts'
import type { PrivacySubject } from './stores.ts'
import { blankMarks } from './blanking.ts'
import { termsOf, type Terms } from './terms.ts'

export interface KnownSubject extends PrivacySubject {
  readonly addresses: readonly Address[]
  /** Numbers that were kept as mobile: they are one person's, where another may be a switchboard. */
  readonly mobiles: ReadonlySet<string>
  /** First and last names, those of the past too; the first is empty where none was ever known. */
  readonly names: readonly { readonly first: string; readonly last: string }[]
  readonly birthDates: readonly string[]
  readonly terms: Terms
  /** Names and addresses that others have too. */
  readonly shared: number
  /** Nothing is known of them any more: an erasure or a rule was here before. */
  readonly isBlank: boolean
}

/** A record with those that were merged into it: what a rule ends, whoever else the person has become. */
export async function mergedInto(
  { ctx, tx }: EngineScope,
  resource: string,
  ids: readonly string[],
): Promise<readonly { readonly resource: string; readonly record: string }[]> {
  const { rows } = await sql<{ resource: string; record: string }>`
    with recursive self as (
      select i.id as record from unnest(${[...ids]}::uuid[]) i (id)
      union
      select m.record from self join core.merged_record m
        on m.workspace = ${ctx.workspace.id}::uuid and m.resource = ${resource} and m.survivor = self.record)
    select ${resource}::text as resource, record from self`.execute(tx)
  return rows
}

/** Who a person is here: their records, and all they were ever known by. */
export async function subjectOf(scope: EngineScope, resource: string, record: string): Promise<KnownSubject> {
  let records = await samePerson(scope, resource, record)
  let known = await knownBy(scope, records)
  for (let more = await doubles(scope, records, known); more.length > 0; more = await doubles(scope, records, known)) {
    const all = [...records]
    for (const it of more) all.push(...(await samePerson(scope, it.resource, it.record)))
    records = [...new Map(all.map((it) => [`${it.resource} ${it.record}`, it])).values()]
    known = await knownBy(scope, records)
  }
  const { values, addresses, mobiles, typed, names, birthDates } = known
  const { zone } = scope.ctx.workspace
  const shared = await sharedWithOthers(scope, records, addresses, names)
  const own = addresses.filter(({ kind, value }) => !shared.has(`${kind} ${value}`))
  return {
    resource,
    record,
    records,
    addresses: own,
    mobiles,
    names,
    birthDates,
    terms: termsOf({
      emails: own.filter(({ kind }) => kind === 'email').map(({ value }) => value),
      phones: own.filter(({ kind }) => kind === 'phone').map(({ value }) => value),
      typed: [...typed].filter((text) => {
        const address = addressOf('phone', text, zone)
        return address !== undefined && !shared.has(`phone ${address.value}`)
      }),
      names: names.filter(({ first, last }) => first !== '' && !shared.has(`name ${fold(fullName(first, last))}`)),
      others: [...(values.get('') ?? [])],
    }),
    shared: shared.size,
    isBlank: [...(values.get('name') ?? [''])].every((name) => blankMarks.has(name)),
  }
}

/** What some records say of the one person they are, of now and from the ledger. */
interface Known {
  readonly values: ReadonlyMap<string, ReadonlySet<string>>
  readonly addresses: readonly Address[]
  readonly mobiles: ReadonlySet<string>
  /** Numbers as they were typed. */
  readonly typed: ReadonlySet<string>
  readonly names: KnownSubject['names']
  readonly birthDates: readonly string[]
}

async function knownBy(scope: EngineScope, records: readonly { resource: string; record: string }[]): Promise<Known> {
  const values = await everKnown(scope, records)
  const addresses = new Map<string, Address>()
  const mobiles = new Set<string>()
  const typed = new Set<string>()
  const { zone } = scope.ctx.workspace
  for (const [channel, names] of [
    ['mail', ['email']],
    ['phone', ['phone', 'phoneNorm', 'mobile', 'mobileNorm']],
  ] as const) {
    for (const name of names) {
      for (const value of values.get(name) ?? []) {
        const address = addressOf(channel, value, zone)
        if (!address) continue
        addresses.set(`${address.kind} ${address.value}`, address)
        if (name.startsWith('mobile') || isMobile(address.value)) mobiles.add(address.value)
        if (channel === 'phone') typed.add(value)
      }
    }
  }
  const firsts = [...(values.get('firstName') ?? [''])]
  const names = [
    ...firsts.flatMap((first) => [...(values.get('lastName') ?? [])].map((last) => ({ first, last }))),
    ...[...(values.get(accountName) ?? [])].map(inTwo),
  ]
  return {
    values,
    addresses: [...addresses.values()],
    mobiles,
    typed,
    names,
    birthDates: [...(values.get('birthDate') ?? [])],
  }
}

/**
 * Records of the same name that nobody merged and that are the person all the same: by their day of birth, their mobile
 * number or a mail address that carries the name. Of what is in the bin any address will do, because nobody is served by it;
 * where a mailbox or a switchboard is all that is shared, a live namesake is somebody else.
 */
async function doubles(
  scope: EngineScope,
  records: readonly { record: string }[],
  { addresses, mobiles, names, birthDates }: Known,
): Promise<readonly { resource: string; record: string }[]> {
  const workspace = sql`${scope.ctx.workspace.id}::uuid`
  const of = (kind: Address['kind']) => addresses.flatMap((it) => (it.kind === kind ? [it.value] : []))
  const lasts = [...new Set(names.map(({ last }) => fold(last)))].filter((last) => last.length >= 3)
  const named = of('email').filter((email) => lasts.some((last) => fold(email.split('@')[0] ?? '').includes(last)))
  const { rows } = await sql<{ resource: string; record: string; born: string | null }>`
    with other as (
      select 'core.contact' as resource, c.id, lower(c.email) as email, c.phone_norm as phone, c.mobile_norm as mobile, c.birth_date::text as born, c.name,
        c.deleted_at is not null as binned from core.contact c where c.workspace = ${workspace}
      union all select 'core.lead', l.id, lower(l.email), l.phone_norm, null, null, l.name, l.deleted_at is not null from core.lead l where l.workspace = ${workspace})
    select o.resource, o.id as record, o.born from other o
    where core.fold(o.name) = any(${names.map(({ first, last }) => fold(fullName(first, last)))}::text[])
      and o.id <> all(${records.map(({ record }) => record)}::uuid[])
      and (o.born is null or ${birthDates.length === 0} or o.born = any(${[...birthDates]}::text[]))
      and (o.born = any(${[...birthDates]}::text[]) or o.email = any(${named}::text[])
        or o.phone = any(${[...mobiles]}::text[]) or o.mobile = any(${[...mobiles]}::text[])
        or (o.binned and (o.email = any(${of('email')}::text[]) or o.phone = any(${of('phone')}::text[]) or o.mobile = any(${of('phone')}::text[]))))`.execute(
    scope.tx,
  )
  return rows
}

/** As a record that has no first name is called, too. */
export function fullName(first: string, last: string): string {
  return `${first} ${last}`.trim()
}

async function samePerson(
  scope: EngineScope,
  resource: string,
  record: string,
): Promise<readonly { resource: string; record: string }[]> {
  const { rows } = await sql<{ resource: string; record: string }>`
    select resource, record from core.same_person(${resource}, ${record}::uuid)`.execute(scope.tx)
  return rows
}

/** Key of what a person's account is called, which is the person's name in one. */
const accountName = 'core.account name'

/** Its last word is the last name: what names somebody is looked for in either order. */
function inTwo(name: string) {
  const words = name.split(/\s+/)
  return { first: words.slice(0, -1).join(' '), last: words.at(-1) ?? '' }
}

/** Values of the person's records by field, of now and from the ledger; `''` holds those a field keeps unique. */
async function everKnown(
  scope: EngineScope,
  records: readonly { resource: string; record: string }[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const found = new Map<string, Set<string>>()
  const take = (resource: Resource, name: string, value: unknown) => {
    if (typeof value !== 'string' || value.trim() === '') return
    const field = resource.fields.get(name)
    const isUnique = field?.unique === true && field.target === undefined && value.length >= 6
    const isAccountName = resource.id === 'core.account' && name === 'name'
    for (const key of [name, ...(isUnique ? [''] : []), ...(isAccountName ? [accountName] : [])])
      found.set(key, (found.get(key) ?? new Set()).add(value.trim()))
  }
  for (const { resource: id, record } of records) {
    const resource = scope.catalog.whole.of(id)
    const { rows } = await sql<RecordJson>`
      select ${columnsOf(resource.all, 't')} from ${tableOf(resource, 't')}
      where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = ${record}::uuid`.execute(scope.tx)
    for (const [name, value] of Object.entries(rows[0] ?? {})) take(resource, name, value)
    const { rows: past } = await sql<{ name: string; value: unknown }>`
      select f.key as name, v.value from core.change c cross join lateral jsonb_each(c.fields) f
      cross join lateral jsonb_array_elements(f.value) v
      where c.workspace = ${scope.ctx.workspace.id}::uuid and c.resource = ${id} and c.record = ${record}::uuid and c.salt is not null
        and jsonb_typeof(v.value) = 'string'`.execute(scope.tx)
    for (const { name, value } of past) take(resource, name, value)
  }
  return found
}

/** What another live contact, lead, account or colleague has too: taking it away would take from them. */
async function sharedWithOthers(
  scope: EngineScope,
  records: readonly { record: string }[],
  addresses: readonly Address[],
  names: readonly { first: string; last: string }[],
): Promise<ReadonlySet<string>> {
  const own = records.map(({ record }) => record)
  const workspace = sql`${scope.ctx.workspace.id}::uuid`
  const emails = addresses.filter(({ kind }) => kind === 'email').map(({ value }) => value)
  const phones = addresses.filter(({ kind }) => kind === 'phone').map(({ value }) => value)
  const folded = names.map(({ first, last }) => fold(fullName(first, last)))
  const { rows } = await sql<{ key: string }>`
    with other as (
      select c.id, c.email, c.phone_norm as phone, c.mobile_norm as mobile, c.name from core.contact c where c.workspace = ${workspace} and c.deleted_at is null
      union all select l.id, l.email, l.phone_norm, null, l.name from core.lead l where l.workspace = ${workspace} and l.deleted_at is null
      union all select a.id, lower(a.email), a.phone_norm, null, null from core.account a where a.workspace = ${workspace} and a.deleted_at is null
      union all select m.id, lower(m.email), null, null, m.name from core.member m where m.workspace = ${workspace})
    select distinct x.key from other o cross join lateral (values
      ('email ' || o.email), ('phone ' || o.phone), ('phone ' || o.mobile), ('name ' || core.fold(o.name))) x (key)
    where o.id <> all(${own}::uuid[]) and (o.email = any(${emails}::text[]) or o.phone = any(${phones}::text[]) or o.mobile = any(${phones}::text[])
      or core.fold(o.name) = any(${folded}::text[]))`.execute(scope.tx)
  const theirs = new Set([
    ...emails.map((it) => `email ${it}`),
    ...phones.map((it) => `phone ${it}`),
    ...folded.map((it) => `name ${it}`),
  ])
  return new Set(rows.map(({ key }) => key).filter((key) => theirs.has(key)))
}

/** Rows of a resource that point at any of these records, by a field. */
export function pointsAt(resource: Resource, field: string, as: string) {
  const model = resource.fields.get(field)
  if (!model) throw new Error(`${resource.id} has no field ${field}.`)
  return fieldValue(model, as)
}
