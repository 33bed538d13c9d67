import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { patience } from './identity-world.ts'

let app: TestApp
let french: TestClient
let before: { en: unknown; fr: unknown }

const grants = [{ resource: '*', action: '*', visibility: 'all' }] as const
const shellOf = async (client: TestClient) => (await client.get('/api/core/shell')).body
const member = {
  en: { one: 'Member', many: 'Members' },
  fr: { one: 'Adhérent', many: 'Adhérents' },
}

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
  french = await app.as({ grants, locale: 'fr', name: 'Camille' })
  before = { en: await shellOf(app.admin), fr: await shellOf(french) }
  await app.admin.patch('/api/core/workspace', { labels: { 'core.account': member } })
}, patience)
afterAll(() => app[Symbol.asyncDispose]())

const both = () =>
  [
    ['English', app.admin, member.en, { parent: 'Parent member' }],
    ['French', french, member.fr, { parent: 'Adhérent parent' }],
  ] as const

test('an association’s accounts are members in navigation and forms, in both languages', async () => {
  for (const [, client, name, said] of both()) {
    const shell = await shellOf(client)
    const account = shell.resources.find(({ id }: { id: string }) => id === 'core.account')
    expect(account.name).toEqual(name)
    const items = shell.nav.flatMap((group: { items: { path: string; title: string }[] }) => group.items)
    expect(items.find(({ path }: { path: string }) => path === '/accounts').title).toBe(name.many)
    const contact = shell.resources.find(({ id }: { id: string }) => id === 'core.contact')
    const labelOf = (meta: { fields: { name: string; label: string }[] }, field: string) =>
      meta.fields.find((it) => it.name === field)?.label
    expect(labelOf(contact, 'account')).toBe(name.one)
    expect(labelOf(account, 'parent')).toBe(said.parent)
    // The word with its gender is no longer right; the shell says it of the new one.
    expect(shell.words['core.account.new']).toBeUndefined()
  }
})

test('the head of an export and its file say so', async () => {
  for (const [, client, name] of both()) {
    await client.post('/api/core/contacts', { lastName: 'Durand' })
    const fields = ['lastName', 'account']
    const { body } = await client.post('/api/core/exports', { resource: 'core.contact', format: 'csv', fields })
    await app.app.jobs.runUntilIdle()
    const { file } = (await client.get(`/api/core/exports/${body.data.id}`)).body.data
    const text = await (await client.raw('GET', file)).text()
    expect(text.split('\r\n')[0]).toContain(name.one)
    const accounts = await client.post('/api/core/exports', {
      resource: 'core.account',
      format: 'csv',
      fields: ['name'],
    })
    await app.app.jobs.runUntilIdle()
    const done = (await client.get(`/api/core/exports/${accounts.body.data.id}`)).body.data
    const answer = await client.raw('GET', done.file)
    // What no header can say is underlined there.
    expect(answer.headers.get('content-disposition')).toContain(`"${name.many.replace('é', '_')}_`)
  }
})

test('the API reference says so', async () => {
  for (const [, client, name] of both()) {
    const { body } = await client.get('/api/core/openapi.json')
    expect(body.paths['/api/core/accounts'].get.tags).toEqual([name.many])
    expect(body.components.schemas['core.contact'].properties.account.title).toBe(name.one)
    expect(await (await client.raw('GET', '/api/core/reference')).text()).toContain(name.many)
  }
})

test('ids, addresses and permissions stay as they were', async () => {
  const ids = (shell: unknown) => {
    const { resources, may } = shell as { resources: { id: string; api: string; route: string }[]; may: string[] }
    return { may, resources: resources.map(({ id, api, route }) => ({ id, api, route })) }
  }
  expect(ids(await shellOf(app.admin))).toEqual(ids(before.en))
  expect(ids(await shellOf(french))).toEqual(ids(before.fr))
  const { body } = await app.admin.get('/api/core/permissions')
  const account = body.data.resources.find(({ id }: { id: string }) => id === 'core.account')
  expect(account).toMatchObject({ name: 'Members', actions: expect.arrayContaining(['read', 'merge']) })
})

test('another company in the same installation says accounts', async () => {
  const other = await app.secondWorkspace()
  const { resources, words } = await shellOf(other.admin)
  expect(resources.find(({ id }: { id: string }) => id === 'core.account').name.many).toBe('Accounts')
  expect(words['core.account.new']).toBe('New account')
})

test('a name without one of the languages, or of no kind of record, is refused', async () => {
  for (const labels of [{ 'core.account': { en: member.en } }, { account: member }]) {
    const { status, body } = await app.admin.patch('/api/core/workspace', { labels })
    expect(status).toBe(422)
    expect(body.errors[0].path).toContain('/labels')
  }
})

test('taken back, the usual names return', async () => {
  await app.admin.patch('/api/core/workspace', { labels: {} })
  const { resources } = await shellOf(french)
  expect(resources.find(({ id }: { id: string }) => id === 'core.account').name.many).toBe('Comptes')
})
