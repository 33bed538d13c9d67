import { helloPlugin } from '@socle/example-hello'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import {
  createTestApp,
  makeTestDatabase,
  type TestApp,
  type TestClient,
  type TestDatabase,
  type TestWorkspace,
} from '../src/testing/index.ts'
import { sidePlugins } from './side-world.ts'

const contacts = '/api/core/contacts'
const greetings = '/api/hello/greetings'

let base: TestDatabase
let app: TestApp
let here: TestWorkspace
let there: TestWorkspace
/** Workspaces of the transactions begun since the last look. */
let begun: (string | undefined)[] = []

beforeAll(async () => {
  base = await makeTestDatabase()
  app = await startProcess()
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await base.drop()
})
beforeEach(async () => {
  here = await app.secondWorkspace()
  there = await app.secondWorkspace()
})

/** As one of the installation; its background work rests. */
async function startProcess(): Promise<TestApp> {
  const listening: Database = {
    ...base.database,
    async transaction(context, work) {
      begun.push(context.workspace)
      return base.database.transaction(context, work)
    },
  }
  return createTestApp({ plugins: [helloPlugin, ...sidePlugins], database: { ...base, database: listening } })
}

async function toggle(plugin: string, verb: 'enable' | 'disable'): Promise<void> {
  expect((await here.admin.post(`/api/core/plugins/${plugin}/${verb}`, {})).status).toBe(200)
}

const field = {
  resource: 'core.contact',
  name: 'shoeSize',
  type: 'integer',
  labelEn: 'Shoe size',
  labelFr: 'Pointure',
}

/** How many transactions a request takes in its workspace. */
async function transactionsOf(client: TestClient, path: string): Promise<number> {
  const { id } = client.who.workspace
  begun = []
  expect((await client.get(path)).status).toBe(200)
  return begun.filter((it) => it === id).length
}

test('a request after a switch reads nothing anew, in the same workspace or in another', async () => {
  for (const { admin } of [here, there]) expect((await admin.post('/api/core/fields', field)).status).toBe(201)
  for (const verb of ['disable', 'enable'] as const) {
    for (const { admin } of [here, there]) await admin.get(contacts)
    await toggle('loyalty', verb)
    expect(await transactionsOf(here.admin, contacts)).toBe(1)
    expect(await transactionsOf(there.admin, contacts)).toBe(1)
  }
})

test('what a role says by fields of a module is gone with the answer of its switch, and back with that of the next', async () => {
  expect((await here.admin.post('/api/core/fields', field)).status).toBe(201)
  const made = { firstName: 'Inès', lastName: 'Roux', loyaltyTier: 'gold', shoeSize: 39 }
  expect((await here.admin.post(contacts, made)).status).toBe(201)
  const condition = 'loyaltyTier = "gold"'
  const reader = await here.as({ grants: [{ resource: 'core.contact', action: 'read', visibility: 'all', condition }] })
  for (let round = 0; round < 3; round += 1) {
    expect((await reader.get(contacts)).body.data).toMatchObject([{ loyaltyTier: 'gold', shoeSize: 39 }])
    await toggle('loyalty', 'disable')
    expect((await reader.get(contacts)).body.data).toEqual([])
    const [seen] = (await here.admin.get(contacts)).body.data
    expect(seen).toMatchObject({ shoeSize: 39 })
    expect(seen).not.toHaveProperty('loyaltyTier')
    await toggle('loyalty', 'enable')
  }
})

test('switches at the same moment leave nobody with what was before either', async () => {
  const ids = ['hello', 'loyalty', 'visits']
  const on = async () =>
    (await here.admin.get('/api/core/plugins')).body.data
      .filter(({ id, state }: { id: string; state: string }) => ids.includes(id) && state === 'enabled')
      .map(({ id }: { id: string }) => id)
      .toSorted()
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(ids.map((id) => toggle(id, 'disable')))
    expect(await on()).toEqual([])
    await Promise.all(ids.map((id) => toggle(id, 'enable')))
    expect(await on()).toEqual(ids)
  }
})

test('a switch nobody was told of shows as soon as the next one is followed', async () => {
  for (const { admin } of [here, there]) expect((await admin.get(greetings)).status).toBe(200)
  const { owner } = base.database
  await sql`update core.generation set value = value + 1`.execute(owner)
  await sql`
    update core.plugin_workspace set state = 'disabled' where plugin = 'hello' and workspace = ${there.workspace.id}::uuid`.execute(
    owner,
  )
  await toggle('visits', 'disable')
  expect((await there.admin.get(greetings)).status).toBe(404)
})

// An embedded database has one process, that of its tests too: nobody is told by it.
describe.runIf(process.env['TEST_DATABASE_URL'])('another process', () => {
  let other: TestApp
  let hereToo: TestClient
  let thereToo: TestClient

  beforeAll(async () => {
    other = await startProcess()
    await other.app.start()
  })
  afterAll(() => other[Symbol.asyncDispose]())
  beforeEach(async () => {
    await app.deliver()
    hereToo = here.admin.at(other.app)
    thereToo = there.admin.at(other.app)
    for (const client of [hereToo, thereToo]) await client.get(greetings)
  })

  const statusFor = async (client: TestClient) => (await client.get(greetings)).status

  test('hears in which workspace something was switched, and keeps what it has of all others', async () => {
    for (const [verb, status] of [
      ['disable', 404],
      ['enable', 200],
    ] as const) {
      await toggle('hello', verb)
      await expect.poll(() => statusFor(hereToo), { timeout: 10_000 }).toBe(status)
      expect(await transactionsOf(thereToo, greetings)).toBe(1)
    }
  })

  test('that was told of one switch of two finds the other by the number both have raised', async () => {
    await sql`
      with raised as (update core.generation set value = value + 1)
      update core.plugin_workspace set state = 'disabled' where plugin = 'hello' and workspace = ${there.workspace.id}::uuid`.execute(
      base.database.owner,
    )
    await toggle('hello', 'disable')
    await expect.poll(() => statusFor(thereToo), { timeout: 10_000 }).toBe(404)
  })
})
