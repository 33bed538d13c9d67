import { sql } from 'kysely'
import { helloPlugin } from '@socle/example-hello'
import { salesPlugin } from '@socle/sales'
import { uuidv7 } from 'uuidv7'
import type { Sql } from '../src/database/database.ts'
import type { WallSide } from '../src/database/session.ts'
import { pluginApp } from '../src/http/plugin-routes.ts'
import { platformRoutes } from '../src/http/platform-routes.ts'
import { identityPaths } from '../src/identity/identity.ts'
import type { Jobs } from '../src/jobs/index.ts'
import { createTestApp, type TestApp, type TestClient, type TestWorkspace } from '../src/testing/index.ts'
import { Importing } from './import-world.ts'
import { mailsPlugin } from './privacy-world.ts'
import { atlas, boreal, dealsPlugin, made, personOf } from './partner-world.ts'

const uuids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi

/** Ids by the table whose rows they name. */
export type Ids = ReadonlyMap<string, readonly string[]>

/** One side of a wall: who acts there, and what it may never learn. */
export interface Side {
  readonly name: 'staff' | 'partner'
  /** Somebody new, with every right that side can have. */
  newcomer(): Promise<TestClient>
  readonly wall: WallSide
  readonly own: Ids
  readonly foreign: Ids
  readonly foreignIds: ReadonlySet<string>
  /** Keys of repeated requests, cursors and links of others. */
  readonly foreignKeys: readonly string[]
  readonly foreignCursors: readonly string[]
  /** What stands in every text of the others beside the word they are searched by, and no request ever says. */
  readonly secrets: readonly string[]
  /** Digests of the rows that are not this side's. */
  rowsOfOthers(): Promise<ReadonlyMap<string, ReadonlySet<string>>>
}

export interface Route {
  readonly method: string
  readonly path: string
  readonly params?: unknown
  readonly query?: unknown
  readonly body?: unknown
}

/** Two companies, two partners in one of them, and what each has of its own. */
export interface IsolationWorld {
  readonly app: TestApp
  readonly other: TestWorkspace
  readonly staff: Side
  readonly partner: Side
  readonly routes: readonly Route[]
  /** Tables that hold a workspace’s rows, `schema.table`. */
  readonly tables: readonly string[]
}

/** Words by which others' things are searched; the secret beside each is `secret` and the same name. */
export const owners = ['house', 'other', 'boreal', 'atlas'] as const
export type Owner = (typeof owners)[number]
export const canary = (owner: Owner) => `canary${owner}`
const secret = (owner: Owner) => `secret${owner}`

export async function isolationWorld(): Promise<IsolationWorld> {
  const app = await createTestApp({
    plugins: [salesPlugin, helloPlugin, dealsPlugin, mailsPlugin],
    now: '2026-03-02T09:00:00Z',
  })
  const other = await app.secondWorkspace()
  const owner = app.app.kernel.parts.database.owner
  await app.app.start()
  for (const [workspace, name] of [
    [app, 'house'],
    [other, 'other'],
  ] as const)
    await fillHouse(workspace, name)
  const bert = await app.as(personOf(boreal, `${canary('boreal')} ${secret('boreal')}`))
  const ana = await app.as(personOf(atlas, `${canary('atlas')} Ana`))
  await fillPartner(bert, 'boreal')
  await fillPartner(ana, 'atlas')
  await shareAccount(app, atlas)
  await app.deliver()
  const cursors = await Promise.all(
    [app.admin, other.admin, bert].map(async (client) => {
      const path = client === bert ? '/api/deals/deals?limit=1' : '/api/core/accounts?limit=1'
      return String((await client.get(path)).body.page.next)
    }),
  )
  const tables = await workspaceTables(owner)
  const world = { app, owner, tables }
  return {
    app,
    other,
    tables,
    routes: routesOf(app),
    staff: await sideOf(world, {
      name: 'staff',
      client: app.admin,
      wall: '*',
      newcomer: () => app.as({ grants: [{ resource: '*', action: '*', visibility: 'all' }] }),
      cursors: [cursors[1]!],
      keys: ['key-other'],
      secrets: [secret('other')],
      isOthers: (table) => sql`${column(table)} <> ${app.workspace.id}::uuid`,
    }),
    partner: await sideOf(world, {
      name: 'partner',
      client: ana,
      wall: { partners: [atlas], now: app.clock.now() },
      newcomer: () => app.as(personOf(atlas, 'Newcomer')),
      cursors,
      keys: ['key-other', 'key-house', 'key-boreal'],
      secrets: [secret('other'), secret('house'), secret('boreal')],
      isOthers: () => sql`true`,
    }),
  }
}

/** What people of a company keep, of every kind that can be made over HTTP. */
async function fillHouse({ admin }: TestWorkspace, name: 'house' | 'other'): Promise<void> {
  const words = `${canary(name)} ${secret(name)}`
  const post = async (path: string, body: unknown, headers?: Record<string, string>) =>
    made(await admin.post(path, body, headers))
  const named = { allowDuplicate: true }
  const team = await post('/api/core/teams', { name: words })
  const account = await post(
    '/api/core/accounts',
    { name: words, domain: `${canary(name)}.example`, siren: '732829320', ...named },
    { 'idempotency-key': `key-${name}` },
  )
  const twin = await post('/api/core/accounts', { name: `${words} twin`, parent: account.id, ...named })
  const contact = await post('/api/core/contacts', {
    firstName: canary(name),
    lastName: secret(name),
    email: `${canary(name)}@example.com`,
    account: account.id,
    ...named,
  })
  const lead = await post('/api/core/leads', { lastName: words, companyName: words, ...named })
  await post('/api/core/activities', { subject: words, account: account.id, contact: contact.id, lead: lead.id })
  const product = await post('/api/core/products', { name: words, sku: canary(name), price: '10' })
  const order = await post('/api/core/orders', { account: account.id, number: `${canary(name)}-1` })
  await post('/api/core/order-lines', { order: order.id, product: product.id, quantity: '1', unitPrice: '10' })
  await post('/api/core/invoices', { account: account.id })
  await post('/api/sales/opportunities', { name: words, account: account.id, amount: '10' })
  await post('/api/hello/greetings', { text: words })
  await post('/api/mails/mails', { subject: words, contact: contact.id })
  await post('/api/deals/deals', { name: words, ...named })
  await post('/api/core/views', { name: words, resource: 'core.account', scope: 'shared' })
  await post('/api/core/roles', { name: words, grants: [] })
  await post('/api/core/users', { name: words, email: `${canary(name)}.user@example.com`, teams: [team.id] })
  await post('/api/core/api-keys', { name: words, role: await anyRole(admin) })
  await post('/api/core/privacy/consents', {
    person: { resource: 'core.contact', record: contact.id },
    channel: 'mail',
    action: 'objection',
    source: 'letter',
  })
  await post('/api/core/privacy/requests', { kind: 'access', resource: 'core.contact', record: contact.id })
  await post('/api/core/privacy/retention-rules', {
    name: words,
    resource: 'core.lead',
    condition: `lastName = "${canary(name)}"`,
    action: 'delete',
  })
  await post(`/api/core/accounts/${account.id}/merge`, { version: 1, others: [{ id: twin.id, version: 1 }] })
  await post('/api/core/leads/bulk', { ids: [lead.id], set: { need: words }, preview: true })
  await exportAndImport(admin, 'core.contact', `lastName,firstName\n${secret(name)} imported,${canary(name)}\n`)
}

async function fillPartner(client: TestClient, name: 'boreal' | 'atlas'): Promise<void> {
  const words = `${canary(name)} ${secret(name)}`
  const deal = made(
    await client.post('/api/deals/deals', { name: words, amount: '5' }, { 'idempotency-key': `key-${name}` }),
  )
  made(await client.patch(`/api/deals/deals/${deal.id}`, { version: 1, name: `${words} changed` }))
  for (const nth of [1, 2])
    made(await client.post('/api/deals/deals', { name: `${words} ${nth}`, allowDuplicate: true }))
  made(await client.post('/api/core/views', { name: words, resource: 'deals.deal' }))
  await exportAndImport(client, 'deals.deal', `name\n${words} imported\n`)
}

async function exportAndImport(client: TestClient, resource: string, content: string): Promise<void> {
  const { id } = made(await client.post('/api/core/exports', { resource, format: 'csv' }))
  const importing = new Importing(client, async () => {})
  await importing.through((await importing.upload(resource, content)).id)
  for (;;) {
    const { body } = await client.get(`/api/core/exports/${id}`)
    if (!['waiting', 'running'].includes(body.data.state)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function anyRole(admin: TestClient): Promise<string> {
  const { body } = await admin.get('/api/core/roles?limit=1')
  return body.data[0].id
}

/** An account of the house that the partner may read and write: it stands in their tables, and its company's secrets must not. */
async function shareAccount({ admin, workspace, app }: TestApp, partner: string): Promise<void> {
  const { id } = made(await admin.post('/api/core/accounts', { name: 'Opened to Atlas' }))
  await sql`
    insert into core.share (id, workspace, resource, record, partner, access)
    values (${uuidv7()}::uuid, ${workspace.id}::uuid, 'core.account', ${id}::uuid, ${partner}::uuid, 'write')`.execute(
    app.kernel.parts.database.owner,
  )
}

async function workspaceTables(owner: Sql): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select n.nspname || '.' || c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('core', 'sales', 'hello', 'deals', 'mails')
      and (c.oid = 'core.workspace'::regclass or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace'))
    order by 1`.execute(owner)
  return rows.map(({ name }) => name)
}

const column = (table: string) => sql.ref(table === 'core.workspace' ? 't.id' : 't.workspace')

interface Row {
  readonly place: string
  readonly id: string | null
  readonly row: string
}

/** Rows of many tables as text, in one statement; of tables that the connection may not read, none. */
async function rowsOf(tx: Sql, tables: readonly string[], where: (table: string) => ReturnType<typeof sql>) {
  const open = await sql<{ place: string }>`
    select place from unnest(${[...tables]}::text[]) place where has_table_privilege(place, 'select')`.execute(tx)
  const parts = open.rows.map(
    ({ place }) =>
      sql`select ${place}::text as place, to_jsonb(t)->>'id' as id, t::text as row from ${sql.table(place)} t where ${where(place)}`,
  )
  return (await sql<Row>`${sql.join(parts, sql` union all `)}`.execute(tx)).rows
}

async function sideOf(
  { app, owner, tables }: { app: TestApp; owner: Sql; tables: readonly string[] },
  {
    name,
    client,
    wall,
    newcomer,
    cursors,
    keys,
    secrets,
    isOthers,
  }: {
    name: Side['name']
    client: TestClient
    wall: WallSide
    newcomer: Side['newcomer']
    cursors: readonly string[]
    keys: readonly string[]
    secrets: readonly string[]
    isOthers: (table: string) => ReturnType<typeof sql>
  },
): Promise<Side> {
  const { database } = app.app.kernel.parts
  const session = { workspace: app.workspace.id, actor: client.who.actor.id!, partner: wall }
  const visible = await database.transaction(session, (tx) => rowsOf(tx, tables, () => sql`true`))
  const known = new Set([...visible.flatMap(({ row }) => row.match(uuids) ?? []), app.workspace.id, atlas])
  const mine = new Set(visible.map(digestOf))
  const opened = visible.flatMap(({ id }) => (id === null || id === app.workspace.id ? [] : [id]))
  const others = (await rowsOf(owner, tables, isOthers)).filter(
    ({ place, row }) =>
      !mine.has(digestOf({ place, row })) &&
      // What the platform keeps beside a record that is theirs, or opened to them, changes with it.
      !opened.some((id) => row.includes(id)),
  )
  const foreignIds = new Set(others.flatMap(({ row }) => row.match(uuids) ?? []).filter((id) => !known.has(id)))
  const theirs = new Set(others.map(digestOf))
  return {
    name,
    newcomer,
    wall,
    own: idsOf(visible),
    foreign: idsOf(others.filter(({ id }) => id !== null && foreignIds.has(id))),
    foreignIds,
    foreignKeys: keys,
    foreignCursors: cursors,
    secrets,
    async rowsOfOthers() {
      const rows = await rowsOf(owner, tables, isOthers)
      const found = new Map<string, Set<string>>()
      for (const row of rows) {
        if (worked.has(row.place) || !theirs.has(digestOf(row))) continue
        found.set(row.place, (found.get(row.place) ?? new Set()).add(row.row))
      }
      return found
    },
  }
}

/** Counters, and what the platform works off in the background whoever asks meanwhile. */
const worked = new Set(['core.sequence', 'core.delivery', 'core.duplicate_due', 'core.ledger_pending'])

const digestOf = ({ place, row }: Omit<Row, 'id'>) => `${place} ${row}`

function idsOf(rows: readonly Row[]): Ids {
  const found = new Map<string, string[]>()
  for (const { place, id } of rows) {
    if (id === null || id.length !== 36) continue
    found.set(place, [...(found.get(place) ?? []), id])
  }
  return found
}

/** Every route of the application, with what it says of its input; those of tomorrow stand here unasked. */
function routesOf({ app: { kernel, toggle, revival, ledger, installer, uninstaller } }: TestApp): Route[] {
  // The routes are listed, not asked: nothing is enqueued.
  const jobs = { register() {} } as unknown as Jobs
  const declared = kernel.parts.plugins.flatMap(({ id, routes = [] }) =>
    routes.map(({ method, path, params, query, body }) => ({
      method: method.toUpperCase(),
      path: `/api/${id}${path}`,
      params,
      query,
      body,
    })),
  )
  const served = kernel.parts.plugins
    .flatMap(
      (plugin) =>
        pluginApp(kernel, plugin, {
          jobs,
          resources: kernel.parts.catalog.all().filter((resource) => resource.plugin === plugin.id),
          platform:
            plugin.id === 'core'
              ? platformRoutes(kernel, {
                  toggle,
                  revival,
                  ledger,
                  installer,
                  uninstaller,
                  imports: { jobs },
                  demandPresence: async () => {},
                })
              : undefined,
          demandPresence: () => Promise.resolve(),
        }).routes,
    )
    .filter(({ method }) => method !== 'ALL')
  const own = ['/api/core/shell', '/api/core/openapi.json', '/api/core/reference', '/api/core/boot', '/metrics']
  const atDoor = identityPaths
    .filter((path) => !path.includes('*'))
    .flatMap((path) => ['GET', 'POST'].map((method) => ({ method, path })))
  const all = [
    ...declared,
    ...served.map(({ method, path }) => ({ method, path })),
    ...own.map((path) => ({ method: 'GET', path })),
    ...atDoor,
  ]
  return [...new Map(all.toReversed().map((route) => [`${route.method} ${route.path}`, route])).values()]
}
