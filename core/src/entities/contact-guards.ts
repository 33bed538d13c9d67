import { sql } from 'kysely'
import { subscriber, type Subscriber } from '../plugins/define-plugin.ts'
import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import { isUuid } from '../records/values.ts'
import { recordEvents } from '../events/record-events.ts'
import { nameMissing, periodReversed, refuseValue } from './errors.ts'
import { accountContacts, contacts } from './resources.ts'
import { normaliseEmail, normalisePhone, personName, textOf } from './values.ts'

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

interface Link {
  readonly id: string
  readonly version: number
}

/** A contact has one main account: a new primary link takes the place of the former and names the contact's account. */
const primaryLink = defineGuard(
  'core.account-contact',
  ['create', 'update', 'restore'],
  async ({ record }, ctx) => {
    const from = textOf(record['from'])
    const to = textOf(record['to'])
    if (from !== undefined && to !== undefined && to < from)
      throw refuseValue('/to', periodReversed, { start: from, end: to })
    const contact = record['contact']
    if (record['primary'] !== true || to !== undefined || !isUuid(contact)) return
    const { rows } = await sql<Link>`
    select id, version from core.account_contact
    where workspace = ${ctx.workspace.id}::uuid and contact_id = ${contact}::uuid and id <> ${record.id}::uuid
      and is_primary and to_date is null and deleted_at is null`.execute(ctx.sql)
    for (const former of rows) await ctx.records.update(accountContacts, former, { primary: false })
    const { rows: owners } = await sql<Link & { account_id: string | null }>`
    select id, version, account_id from core.contact where workspace = ${ctx.workspace.id}::uuid and id = ${contact}::uuid`.execute(
      ctx.sql,
    )
    const [owner] = owners
    if (owner && owner.account_id !== record['account'])
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
        subscriber(
          `links-account-when-${event.name.split('.').at(-1)}`,
          event,
          async ({ payload }, ctx) => {
            const { rows } = await sql<{ account: string; link: string | null; link_version: number | null }>`
            select c.account_id as account, l.id as link, l.version as link_version
            from core.contact c
            left join core.account_contact l on l.workspace = c.workspace and l.contact_id = c.id and l.account_id = c.account_id
              and l.to_date is null and l.deleted_at is null
            where c.workspace = ${ctx.workspace.id}::uuid and c.id = ${payload.record}::uuid and c.account_id is not null and c.deleted_at is null
              and l.is_primary is distinct from true`.execute(ctx.sql)
            const [row] = rows
            if (!row) return
            const { records } = ctx.asSystem()
            if (row.link !== null)
              await records.update(accountContacts, { id: row.link, version: row.link_version ?? 1 }, { primary: true })
            else await records.create(accountContacts, { account: row.account, contact: payload.record, primary: true })
          },
          { changed: ['account'] },
        ),
      ],
)

export const contactGuards: readonly GuardDefinition[] = [contactNamed, primaryLink]
