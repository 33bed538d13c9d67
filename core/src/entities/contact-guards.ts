import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { StoredEvent } from '../events/event.ts'
import { subscriberOfMany, type Subscriber } from '../plugins/define-plugin.ts'
import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import { oneByOne } from '../records/one-by-one.ts'
import { isUuid } from '../records/values.ts'
import { recordEvents } from '../events/record-events.ts'
import { nameMissing, refuseValue } from './errors.ts'
import { accountContacts, contacts } from './resources.ts'
import { normaliseEmail, normalisePhone, personName, refusePeriod, textOf } from './values.ts'

const contactNamed = defineGuard(
  'core.contact',
  ['create', 'update'],
  (write, ctx) => {
    const { record, set } = write
    normaliseEmail(write)
    normalisePhone(write, 'phone', ctx)
    normalisePhone(write, 'mobile', ctx)
    const name = personName(record, 'email')
    if (name === undefined) throw refuseValue('/lastName', nameMissing, { fields: 'firstName, lastName, email' })
    set('name', name)
  },
  { independent: true },
)

/** A contact, with each link that is its primary one so far. */
interface Owner {
  readonly id: string
  readonly version: number
  readonly account: string | null
  readonly former: string | null
  readonly formerVersion: number | null
}

/** A contact has one main account: a new primary link takes the place of the former and names the contact's account. */
const primaryLink = defineGuard(
  'core.account-contact',
  ['create', 'update', 'restore'],
  async ({ record }, ctx) => {
    const from = textOf(record['from'])
    const to = textOf(record['to'])
    if (from !== undefined && to !== undefined && to < from)
      throw refusePeriod(ctx, 'core.account-contact', record, ['from', 'to'])
    const contact = record['contact']
    if (record['primary'] !== true || to !== undefined || !isUuid(contact)) return
    const { rows } = await sql<Owner>`
      select c.id, c.version, c.account_id as account, l.id as former, l.version as "formerVersion"
      from core.contact c
      left join core.account_contact l on l.workspace = c.workspace and l.contact_id = c.id and l.id <> ${record.id}::uuid
        and l.is_primary and l.to_date is null and l.deleted_at is null
      where c.workspace = ${ctx.workspace.id}::uuid and c.id = ${contact}::uuid`.execute(ctx.sql)
    for (const { former, formerVersion } of rows) {
      if (former !== null)
        await ctx.records.update(accountContacts, { id: former, version: formerVersion ?? 1 }, { primary: false })
    }
    const [owner] = rows
    if (owner && owner.account !== record['account'])
      await ctx.records.update(contacts, owner, { account: record['account'] })
  },
  { independent: true },
)

const [contactCreated, contactUpdated] = recordEvents('core.contact')

/** A contact's account is one of its links too, so that "who works there" has one answer. */
export const contactSubscribers: readonly Subscriber[] = [contactCreated, contactUpdated].flatMap((event) =>
  event === undefined
    ? []
    : [
        subscriberOfMany(`links-account-when-${event.name.split('.').at(-1)}`, event, linkAccounts, {
          changed: ['account'],
        }),
      ],
)

async function linkAccounts(events: readonly StoredEvent<{ record: string }>[], ctx: Context): Promise<void> {
  const { rows } = await sql<{ contact: string; account: string; link: string | null; version: number | null }>`
    select c.id as contact, c.account_id as account, l.id as link, l.version
    from ${oneByOne(
      [...new Set(events.map(({ payload }) => payload.record))],
      'uuid',
      sql`select c.workspace, c.id, c.account_id from core.contact c
        where c.workspace = ${ctx.workspace.id}::uuid and c.id = given.key and c.account_id is not null and c.deleted_at is null`,
      { as: 'c' },
    )}
    left join lateral (
      select l.id, l.version, l.is_primary from core.account_contact l
      where l.workspace = c.workspace and l.contact_id = c.id and l.account_id = c.account_id and l.to_date is null and l.deleted_at is null
      offset 0) l on true
    where l.is_primary is distinct from true`.execute(ctx.sql)
  const { records } = ctx.asSystem()
  const missing = rows.filter(({ link }) => link === null)
  await records.createMany(
    accountContacts,
    missing.map(({ account, contact }) => ({ account, contact, primary: true })),
  )
  for (const { link, version } of rows)
    if (link !== null) await records.update(accountContacts, { id: link, version: version ?? 1 }, { primary: true })
}

export const contactGuards: readonly GuardDefinition[] = [contactNamed, primaryLink]
