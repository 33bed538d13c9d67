import { defineEntity, definePlugin, defineResource, defineRoute, p, recordBase, sql } from '@socle/sdk'
import { helloPlugin } from '@socle/example-hello'
import { salesPlugin } from '@socle/sales'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { admit } from '../src/plugins/check-plugins.ts'
import { dependentsOf } from '../src/plugins/dependents.ts'
import { offerRoles } from '../src/plugins/role-offers.ts'
import { createTestApp, type TestApp } from '../src/testing/index.ts'

let app: TestApp

const bare = (id: string, more: object = {}) =>
  definePlugin({ id, version: '1.1.0', platform: '^1.0.0', title: { en: id, fr: id }, ...more })
const dependent = bare('dependent', { requires: { hello: '^1.0.0' } })

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin, salesPlugin, dependent], enable: ['hello', 'sales'] })
})
afterAll(() => app[Symbol.asyncDispose]())

const shell = async () => (await app.admin.get('/api/core/shell')).body
const toggle = (id: string, verb: 'enable' | 'disable', body: object = {}) =>
  app.admin.post(`/api/core/plugins/${id}/${verb}`, body)

describe('switching a module off', () => {
  test('takes its routes, screens, words, search hits and API reference away at once, and on brings them back', async () => {
    await app.admin.post('/api/hello/greetings', { text: 'Bienvenue' })
    const before = await shell()
    expect(before.resources.some(({ id }: { id: string }) => id === 'hello.greeting')).toBe(true)

    expect((await toggle('hello', 'disable')).body.data).toMatchObject({ state: 'disabled' })
    const off = await shell()
    expect(JSON.stringify(off)).not.toContain('hello')
    expect(off.generation).toBeGreaterThan(before.generation)
    expect(await app.admin.get('/api/hello/greetings')).toMatchObject({
      status: 404,
      body: { code: 'PLUGIN_DISABLED' },
    })
    expect((await app.admin.get('/api/core/search?q=bienvenue')).body.data).toEqual([])
    expect(JSON.stringify((await app.admin.get('/api/core/openapi.json')).body)).not.toContain('hello')
    expect(JSON.stringify((await app.admin.get('/api/core/permissions')).body)).not.toContain('hello')

    await toggle('hello', 'enable')
    expect((await shell()).nav.find(({ id }: { id: string }) => id === 'hello').items).toHaveLength(2)
    expect((await app.admin.get('/api/hello/greetings')).body.data).toMatchObject([{ text: 'Bienvenue' }])
    expect((await app.admin.get('/api/core/search?q=bienvenue')).body.data).toHaveLength(1)
  })

  test('brings roles that are called in the reader’s language until the workspace renames one', async () => {
    const french = await app.as({ may: ['core.role.manage'], locale: 'fr' })
    const [offered] = (salesPlugin.roleTemplates ?? []) as readonly { title: { en: string; fr: string } }[]
    const { en, fr } = offered!.title
    const named = async (by = app.admin) =>
      (await by.get('/api/core/roles')).body.data.map(({ name }: { name: string }) => name)
    expect(await named()).toContain(en)
    expect(await named(french)).toContain(fr)
    expect(await named(french)).not.toContain(en)
    const { data } = (await app.admin.get('/api/core/roles')).body
    const { id } = data.find(({ name }: { name: string }) => name === en)
    await app.admin.patch(`/api/core/roles/${id}`, { name: 'Ours' })
    expect(await named(french)).toContain('Ours')
    await app.admin.patch(`/api/core/roles/${id}`, { name: en })
  })

  test('platform P23: its lines in a role sleep while it is off, are kept through an edit, and count again when it is on', async () => {
    const line = { resource: 'hello.greeting', action: 'read', visibility: 'all' as const }
    const made = await app.admin.post('/api/core/roles', { name: 'Greeter', grants: [line], fields: [] })
    const role = `/api/core/roles/${made.body.data.id}`
    const greeter = await app.as({})
    await app.admin.put(`/api/core/users/${greeter.who.actor.id}/roles`, { roles: [{ role: made.body.data.id }] })
    expect((await greeter.get('/api/hello/greetings')).status).toBe(200)

    await toggle('hello', 'disable')
    const { body: catalog } = await app.admin.get('/api/core/permissions')
    expect(catalog.data.resources.map(({ plugin }: { plugin: string }) => plugin)).not.toContain('hello')
    expect(await greeter.get('/api/hello/greetings')).toMatchObject({ status: 404, body: { code: 'PLUGIN_DISABLED' } })
    expect((await greeter.get('/api/core/shell')).body.resources).not.toContainEqual(
      expect.objectContaining({ id: 'hello.greeting' }),
    )
    const { version, grants, permissions, fields } = (await app.admin.get(role)).body.data
    expect(grants).toEqual([line])
    const edited = { version, grants: [...grants, { ...line, resource: 'core.product' }], permissions, fields }
    expect((await app.admin.patch(role, edited)).status).toBe(200)

    await toggle('hello', 'enable')
    expect((await app.admin.get(role)).body.data.grants).toContainEqual(line)
    expect((await greeter.get('/api/hello/greetings')).status).toBe(200)
    expect((await greeter.get('/api/core/products')).status).toBe(200)
  })

  test('is noticed by nobody in another workspace', async () => {
    const other = await app.secondWorkspace()
    await other.admin.post('/api/hello/greetings', { text: 'Elsewhere' })
    await toggle('hello', 'disable')
    expect((await other.admin.get('/api/hello/greetings')).body.data).toMatchObject([{ text: 'Elsewhere' }])
    await toggle('hello', 'enable')
  })

  test('first says what it breaks', async () => {
    const { body } = await app.admin.get('/api/core/plugins/sales/what-breaks')
    expect(body.data).toMatchObject({ plugin: 'sales', dependents: [] })
    expect(body.data.screens).toContainEqual({ title: 'Opportunities', path: '/sales/opportunities' })
    expect(body.data.roles.map(({ name }: { name: string }) => name)).toContain('Sales representative')
  })

  test('is refused while another needs it, unless both go', async () => {
    await toggle('dependent', 'enable')
    expect(await toggle('hello', 'disable')).toMatchObject({
      status: 409,
      body: { code: 'PLUGIN_HAS_DEPENDENTS', dependents: ['dependent'] },
    })
    expect((await toggle('hello', 'disable', { cascade: true })).status).toBe(200)
    const { body } = await app.admin.get('/api/core/plugins')
    expect(body.data.map(({ id, state }: { id: string; state: string }) => [id, state])).toEqual([
      ['hello', 'disabled'],
      ['sales', 'enabled'],
      ['dependent', 'disabled'],
    ])
    expect(await toggle('dependent', 'enable')).toMatchObject({
      status: 409,
      body: { code: 'PLUGIN_REQUIREMENT_MISSING' },
    })
    await toggle('hello', 'enable')
  })

  test('reaches those that need it by way of another, the furthest first', () => {
    const { ordered: chain } = admit([
      bare('c', { requires: { b: '*' } }),
      bare('b', { requires: { a: '*' } }),
      bare('a'),
    ])
    const on = new Set(['a', 'b', 'c'])
    expect(dependentsOf(chain, on, 'a').map(({ id }) => id)).toEqual(['c', 'b'])
    expect(dependentsOf(chain, new Set(['a', 'b']), 'a').map(({ id }) => id)).toEqual(['b'])
  })

  test('needs the permission for it', async () => {
    const member = await app.as({ may: ['hello.greeting.read'] })
    expect(await member.post('/api/core/plugins/hello/disable')).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED' },
    })
    expect(await app.admin.post('/api/core/plugins/nothing/enable')).toMatchObject({
      status: 404,
      body: { code: 'PLUGIN_UNKNOWN' },
    })
  })

  test('holds its events and delivers them, in order, when it is on again', async () => {
    const account = (await app.admin.post('/api/core/accounts', { name: 'Attente' })).body.data
    const [, , , won] = (await app.admin.get('/api/sales/stages')).body.data
    await app.admin.post('/api/sales/opportunities', { name: 'Held', account: account.id, stage: won.id })
    await toggle('sales', 'disable')
    await app.deliver()
    expect((await app.admin.get(`/api/core/accounts/${account.id}`)).body.data.lifecycle).toBe('suspect')
    await toggle('sales', 'enable')
    await app.deliver()
    expect((await app.admin.get(`/api/core/accounts/${account.id}`)).body.data.lifecycle).toBe('client')
  })
})

test('a module whose role name is taken is switched on all the same', async () => {
  const other = await app.secondWorkspace()
  const brings = bare('roles', {
    roleTemplates: [{ id: 'roles.rep', title: { en: 'Sales Representative', fr: 'Commercial' }, grants: [] }],
  })
  await other.inside((ctx) => offerRoles(ctx, brings.roleTemplates ?? []))
  const names = (await other.admin.get('/api/core/roles')).body.data.map(({ name }: { name: string }) => name)
  expect(names).toContain('Sales representative')
  expect(names).toContain('Sales Representative 2')
})

describe('what an actor is shown', () => {
  test('is filtered on the server: no resource, screen or field the actor may not read', async () => {
    const reader = await app.as({
      may: ['core.account.read'],
      fields: [{ resource: 'core.account', field: 'annualRevenue', access: 'none' }],
    })
    const { body } = await reader.get('/api/core/shell')
    expect(body.resources.map(({ id }: { id: string }) => id)).toEqual([
      'core.account',
      'core.user',
      'core.team',
      'core.share',
    ])
    expect(body.screens).toEqual([])
    expect(JSON.stringify(body.resources)).not.toContain('annualRevenue')
    expect(body.may).toEqual([])
  })

  test('says whether many records may be changed at a time', async () => {
    const may = ['core.account.read', 'core.account.update']
    for (const [actor, bulk] of [
      [await app.as({ may }), false],
      [await app.as({ may: [...may, 'core.account.bulk'] }), true],
    ] as const) {
      const { body } = await actor.get('/api/core/shell')
      expect(body.resources.find(({ id }: { id: string }) => id === 'core.account').may).toMatchObject({ bulk })
    }
  })

  test('names the fields that make two records suspect, of those the actor may read', async () => {
    const reader = await app.as({
      may: ['core.account.read', 'core.order.read'],
      fields: [{ resource: 'core.account', field: 'email', access: 'none' }],
    })
    const { body } = await reader.get('/api/core/shell')
    const keysOf = (wanted: string) => body.resources.find(({ id }: { id: string }) => id === wanted).duplicates
    expect(keysOf('core.account')).toEqual(expect.arrayContaining(['name', 'phone']))
    expect(keysOf('core.account')).not.toContain('email')
    expect(keysOf('core.order')).toBeUndefined()
  })

  test('speaks the actor’s language', async () => {
    const french = await app.as({
      may: ['*.*'],
      grants: [{ resource: '*', action: '*', visibility: 'all' }],
      locale: 'fr',
    })
    const { body } = await french.get('/api/core/shell')
    expect(body.resources.find(({ id }: { id: string }) => id === 'core.account').name).toEqual({
      one: 'Compte',
      many: 'Comptes',
    })
    const refused = await french.get('/api/core/accounts/0193d1a2-0000-7000-8000-0000000000ff')
    expect(refused.body.detail).not.toMatch(/There is no/)
  })
})

const refusal = (id: string, ...plugins: Parameters<typeof admit>[0]) => admit(plugins).refused.get(id)

describe('plugins that do not fit together', () => {
  test('are refused by name, range and found version before any of their code ran', () => {
    expect(refusal('a', bare('a', { requires: { b: '^2.0.0' } }), bare('b'))).toMatchObject({
      code: 'PLUGIN_REQUIREMENT_MISSING',
      message: expect.stringContaining('a needs b ^2.0.0, found 1.1.0'),
    })
    expect(refusal('a', bare('a', { platform: '^9.0.0' }))).toMatchObject({ code: 'PLATFORM_INCOMPATIBLE' })
    const circle = [bare('a', { requires: { b: '*' } }), bare('b', { requires: { a: '*' } })]
    expect(refusal('a', ...circle)).toMatchObject({
      code: 'PLUGIN_CYCLE',
      message: expect.stringContaining('a → b → a'),
    })
    expect(refusal('b', ...circle)).toMatchObject({ code: 'PLUGIN_CYCLE' })
    expect(refusal('a', bare('a'), bare('a'))).toMatchObject({ code: 'CONTRIBUTION_COLLISION' })
  })

  test('take along who requires them, and nobody else', () => {
    const far = bare('far', { platform: '^9.0.0' })
    const { ordered, refused } = admit([bare('needs', { requires: { far: '*' } }), bare('free'), far])
    expect(ordered.map(({ id }) => id)).toEqual(['free'])
    expect([...refused].map(([id, { code }]) => [id, code])).toEqual([
      ['far', 'PLATFORM_INCOMPATIBLE'],
      ['needs', 'PLUGIN_REQUIREMENT_MISSING'],
    ])
  })

  test('come in the order of their requirements', () => {
    const { ordered } = admit([
      bare('c', { requires: { b: '^1.0.0' } }),
      bare('b', { requires: { a: '~1.1.0' } }),
      bare('a'),
    ])
    expect(ordered.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  test('do not keep the platform from starting when their migration fails: it is quarantined, with its reason, and has changed nothing', async () => {
    const schema = defineEntity({
      name: 'Broken',
      schema: 'broken',
      tableName: 'broken',
      properties: { ...recordBase(), text: p.string() },
    })
    const broken = bare('broken', {
      entities: [schema],
      resources: [defineResource(schema, { path: 'brokens', title: 'text', icon: 'x', list: ['text'] })],
      migrations: new URL('./fixtures/broken-migration/', import.meta.url),
    })
    await using beside = await createTestApp({ plugins: [helloPlugin, broken], enable: ['hello'] })
    expect((await beside.admin.get('/api/hello/greetings')).status).toBe(200)
    expect(await beside.admin.get('/api/broken/brokens')).toMatchObject({
      status: 503,
      body: { code: 'PLUGIN_QUARANTINED' },
    })
    const { owner } = beside.app.kernel.parts.database
    const { rows: kept } = await sql`select state, reason from core.plugin where id = 'broken'`.execute(owner)
    expect(kept).toMatchObject([{ state: 'quarantined', reason: expect.stringContaining('0001_broken') }])
    const { rows: told } = await sql`select kind, code from core.plugin_incident where plugin = 'broken'`.execute(owner)
    expect(told).toEqual([{ kind: 'migration', code: 'MIGRATION_FAILED' }])
    const { rows: tables } = await sql`
      select from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'broken' and c.relname not like 'migration%'`.execute(owner)
    expect(tables).toEqual([])
  })
})

describe('a route of a module', () => {
  const row = { name: 'Ada', salary: '90000' }
  const answer = z.object({ data: z.object({ name: z.string() }) })
  const about = { permission: 'authenticated', summary: 'A person' } as const
  const chatty = bare('chatty', {
    routes: [
      defineRoute({ method: 'get', path: '/people', ...about, answer, handle: async () => ({ data: row }) }),
      defineRoute({
        method: 'post',
        path: '/people',
        ...about,
        answer,
        async handle(_, ctx) {
          await ctx.records.create('core.account', { name: 'Made and undone' })
          return { data: { name: 4711 } } as never
        },
      }),
    ],
  })

  test('answers what it declares and nothing beside', async () => {
    await using here = await createTestApp({ plugins: [chatty] })
    expect(await here.admin.get('/api/chatty/people')).toMatchObject({ status: 200, body: { data: { name: 'Ada' } } })
    expect(JSON.stringify((await here.admin.get('/api/chatty/people')).body)).not.toContain('salary')
  })

  test('that answers something else has failed: its work is undone, its caller told so, and the fault is the module’s', async () => {
    await using here = await createTestApp({ plugins: [chatty] })
    const { status, body } = await here.admin.post('/api/chatty/people')
    expect([status, body]).toMatchObject([
      500,
      { code: 'ANSWER_INVALID', detail: expect.stringContaining('chatty answers POST /api/chatty/people') },
    ])
    expect(body.detail).toContain('data.name')
    expect(body.detail).not.toContain('4711')
    expect((await here.admin.get('/api/core/accounts?filter=name = "Made and undone"')).body.data).toEqual([])
    const incidents = () =>
      sql`select kind, code from core.plugin_incident where plugin = 'chatty'`.execute(
        here.app.kernel.parts.database.owner,
      )
    await expect.poll(async () => (await incidents()).rows).toEqual([{ kind: 'request', code: 'ANSWER_INVALID' }])
  })
})
