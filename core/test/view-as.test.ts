import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Grant } from '../src/permissions/grant.ts'
import { definePlugin, defineRoute } from '../src/plugins/define-plugin.ts'
import { createTestApp, type TestActor, type TestApp, type TestClient } from '../src/testing/index.ts'
import { atlas, dealsPlugin, personOf } from './partner-world.ts'

const now = '2026-03-02T09:00:00Z'
const accounts = '/api/core/accounts'
const viewAs = '/api/core/view-as'
const everything: Grant = { resource: '*', action: '*', visibility: 'all' }
const own = (action: string): Grant => ({ resource: 'core.account', action, visibility: 'own' })

/** A module whose routes write while they are read. */
const careless = definePlugin({
  id: 'careless',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Careless', fr: 'Négligent' },
  routes: (['get', 'post'] as const).map((method) =>
    defineRoute({
      method,
      path: method === 'get' ? '/look' : '/query',
      permission: 'authenticated',
      summary: 'Write',
      answer: z.object({ id: z.string() }),
      handle: async (_, ctx) => ({
        id: (await ctx.asSystem().records.create('core.account', { name: 'Noted', allowDuplicate: true })).id,
      }),
    }),
  ),
})

let app: TestApp
let rep: TestClient
let repId: string
let theirs: string

beforeAll(async () => {
  app = await createTestApp({ plugins: [dealsPlugin, careless], now })
  rep = await app.as({ name: 'Remi Rep', grants: ['read', 'create', 'update', 'delete', 'export'].map(own) })
  repId = rep.who.actor.id!
  theirs = (await rep.post(accounts, { name: 'Of Remi' })).body.data.id
  await app.admin.post(accounts, { name: 'Of the house' })
})
afterAll(() => app[Symbol.asyncDispose]())

const administrator = (actor: TestActor = {}) => app.as({ name: 'Ada Admin', grants: [everything], ...actor })

/** An administrator who looks as somebody. */
async function viewing(user = repId): Promise<TestClient> {
  const ada = await administrator()
  expect((await ada.post(viewAs, { user, reason: 'Ticket 4711' })).status).toBe(201)
  return ada
}
const names = async (by: TestClient) =>
  (await by.get(`${accounts}?sort=name`)).body.data.map(({ name }: { name: string }) => name)
const line = async (ada: TestClient) =>
  (await app.admin.get(`/api/core/viewings?filter=${encodeURIComponent(`owner = "${ada.who.actor.id}"`)}`)).body.data[0]

describe('who looks as somebody else', () => {
  test('sees what that person sees, on lists, records, search, queries and in the shell, and nothing more', async () => {
    const ada = await administrator()
    expect(await names(ada)).toEqual(expect.arrayContaining(['Of Remi', 'Of the house']))
    await ada.post(viewAs, { user: repId, reason: 'Ticket 4711' })
    expect(await names(ada)).toEqual(['Of Remi'])
    expect((await ada.post(`${accounts}/query`, {})).body.data).toHaveLength(1)
    expect((await ada.post(`${accounts}/aggregate`, { measures: ['count'] })).body.data).toMatchObject([{ count: 1 }])
    expect((await ada.get('/api/core/search?q=house')).body.data).toEqual([])
    expect((await ada.get(`${accounts}/${theirs}/history`)).status).toBe(200)
    const shell = (await ada.get('/api/core/shell')).body
    expect(shell).toMatchObject({
      user: { id: repId, name: 'Remi Rep' },
      viewing: { by: 'Ada Admin', until: '2026-03-02T10:00:00.000Z' },
      may: [],
    })
    const account = shell.resources.find(({ id }: { id: string }) => id === 'core.account')
    expect(Object.values(account.may)).not.toContain(true)
    expect((await ada.get('/api/core/audit')).status).toBe(403)
  })

  test('changes nothing, whatever way a change is sent by', async () => {
    const ada = await viewing()
    const file = new FormData()
    file.set('resource', 'core.account')
    file.set('file', new File(['Name\nX'], 'x.csv', { type: 'text/csv' }))
    for (const [method, path, sent] of [
      ['POST', accounts, { name: 'Written' }],
      ['PATCH', `${accounts}/${theirs}`, { version: 1, name: 'Written' }],
      ['DELETE', `${accounts}/${theirs}?version=1`, undefined],
      ['POST', `${accounts}/bulk`, { delete: [{ id: theirs, version: 1 }] }],
      ['POST', '/api/core/exports', { resource: 'core.account', format: 'csv' }],
      ['POST', '/api/core/imports', file],
      ['POST', '/api/core/api-keys', { name: 'Key', role: repId }],
      ['POST', '/api/core/shares', { resource: 'core.account', records: [theirs], user: repId }],
      ['PATCH', '/api/core/me', { name: 'Somebody' }],
      ['POST', '/api/core/me/password', { currentPassword: 'a', newPassword: 'b' }],
      ['DELETE', '/api/core/me/sessions', undefined],
      ['POST', '/api/core/me/workspace', { workspace: app.workspace.slug }],
      ['POST', '/api/core/workspaces', { name: 'Mine' }],
      ['POST', '/api/deals/deals', { name: 'Deal' }],
      ['POST', viewAs, { user: repId, reason: 'Once more' }],
      ['PUT', '/api/core/views/0193d1a2-0000-7000-8000-0000000000ff/choice', { pinned: true }],
    ] as const)
      expect(await ada.send(method, path, sent), `${method} ${path}`).toMatchObject({
        status: 403,
        body: { code: 'VIEW_AS_READ_ONLY' },
      })
    expect((await rep.get(`${accounts}/${theirs}`)).body.data).toMatchObject({ name: 'Of Remi', version: 1 })
  })

  test('is refused by the database too, should a route that reads write', async () => {
    const ada = await viewing()
    expect((await app.admin.get('/api/careless/look')).status).toBe(200)
    for (const [method, path] of [
      ['GET', 'look'],
      ['POST', 'query'],
    ] as const)
      expect(await ada.send(method, `/api/careless/${path}`, method === 'POST' ? {} : undefined)).toMatchObject({
        status: 403,
        body: { code: 'VIEW_AS_READ_ONLY' },
      })
  })

  test('leaves no trace of that person having been here', async () => {
    const seen = async (id: string) =>
      (
        await sql<{ at: string | null }>`
          select last_seen_at as at from core.member where id = ${id}::uuid and workspace = ${app.workspace.id}::uuid`.execute(
          app.app.kernel.parts.database.owner,
        )
      ).rows[0]?.at
    const quiet = await app.as({ name: 'Quiet', grants: [own('read')] })
    const ada = await viewing(quiet.who.actor.id!)
    await names(ada)
    expect(await seen(quiet.who.actor.id!)).toBeNull()
    await expect.poll(() => seen(ada.who.actor.id!)).not.toBeNull()
  })

  test('is written down when it begins and when it ends, with the reason', async () => {
    const ada = await viewing()
    expect(await line(ada)).toMatchObject({ user: repId, reason: 'Ticket 4711', endedAt: null })
    expect((await ada.delete(viewAs)).status).toBe(204)
    expect(await names(ada)).toEqual(expect.arrayContaining(['Of Remi', 'Of the house']))
    const { id, ...ended } = await line(ada)
    expect(ended).toMatchObject({ endedAt: '2026-03-02T09:00:00.000Z', endedBy: 'self' })
    const { data } = (await app.admin.get('/api/core/audit?resource=core.viewing')).body
    const those = data.filter(({ changes }: { changes: { record: string }[] }) =>
      changes.some(({ record }) => record === id),
    )
    expect(those.map(({ actor }: { actor: { name: string } }) => actor.name)).toEqual(['Ada Admin', 'Ada Admin'])
    expect((await rep.get(`/api/core/viewings/${id}`)).status).not.toBe(200)
    expect((await ada.delete(viewAs)).status).toBe(204)
  })
})

describe('it ends by itself', () => {
  test('after an hour: the next request is refused once, and then it is oneself again', async () => {
    const ada = await viewing()
    app.clock.set('2026-03-02T09:59:59Z')
    expect(await names(ada)).toEqual(['Of Remi'])
    app.clock.set('2026-03-02T10:00:00Z')
    expect(await ada.get(accounts)).toMatchObject({ status: 403, body: { code: 'VIEW_AS_ENDED' } })
    expect(await names(ada)).toEqual(expect.arrayContaining(['Of Remi', 'Of the house']))
    expect(await line(ada)).toMatchObject({ endedBy: 'time' })
    app.clock.set(now)
  })

  test('when the right to it is withdrawn, or the other came to hold more', async () => {
    const ada = await viewing()
    const change = (user: string, grants: readonly Grant[]) =>
      app.inside(async (ctx) => {
        const { rows } = await sql<{ id: string; version: number }>`
          select r.id, r.version from core.role r join core.role_assignment a on a.role_id = r.id and a.workspace = r.workspace
          where a.user_id = ${user}::uuid`.execute(ctx.sql)
        await ctx.records.update('core.role', rows[0]!, { grants })
      })
    await change(ada.who.actor.id!, [{ ...everything, action: 'read' }])
    expect(await ada.get(accounts)).toMatchObject({ status: 403, body: { code: 'VIEW_AS_ENDED' } })
    expect(await line(ada)).toMatchObject({ endedBy: 'right' })
    const lead = await app.as({
      name: 'Lead',
      grants: [
        { resource: 'core.account', action: 'read', visibility: 'all' },
        { resource: 'core.actor', action: 'view-as', visibility: 'all' },
      ],
    })
    const junior = await app.as({ name: 'Junior', grants: [own('read')] })
    const user = junior.who.actor.id!
    expect((await lead.post(viewAs, { user, reason: 'Help' })).status).toBe(201)
    expect((await lead.get(accounts)).status).toBe(200)
    await change(user, [own('read'), own('update')])
    expect(await lead.get(accounts)).toMatchObject({ status: 403, body: { code: 'VIEW_AS_ENDED' } })
  })

  test('with the viewer’s session, and when the other leaves', async () => {
    const leaver = await app.as({ name: 'Leaver', grants: [own('read')] })
    const user = leaver.who.actor.id!
    const ada = await viewing(user)
    expect((await app.admin.delete(`/api/core/users/${ada.who.actor.id}/sessions`)).status).toBe(204)
    expect((await ada.get(accounts)).status).toBe(401)
    const other = await viewing(user)
    await app.inside(async (ctx) => {
      const { data } = await ctx.records.get('core.user', user)
      await ctx.records.update('core.user', data, { state: 'inactive' }, { internal: true })
    })
    expect(await other.get(accounts)).toMatchObject({ status: 403, body: { code: 'VIEW_AS_ENDED' } })
    expect(await line(other)).toMatchObject({ endedBy: 'gone' })
  })

  test('in the books too, where nobody asked again after its session was gone', async () => {
    const ada = await viewing()
    await ada.post('/api/auth/sign-out')
    expect(await line(ada)).toMatchObject({ endedAt: null })
    app.clock.set('2026-03-02T10:01:00Z')
    const { jobs = [] } = app.app.kernel.parts.plugins.find(({ id }) => id === 'core')!
    await app.inside((ctx) => jobs.find(({ id }) => id === 'viewings')!.run(ctx))
    expect(await line(ada)).toMatchObject({ endedBy: 'time' })
    app.clock.set(now)
  })
})

describe('who may', () => {
  test('holds the permission, and no less than the other does, of everybody’s records', async () => {
    const clerk = await app.as({ name: 'Clerk', grants: [{ ...everything, action: 'read' }] })
    expect(await clerk.post(viewAs, { user: repId, reason: 'Curious' })).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED' },
    })
    const lead = await app.as({
      name: 'Lead',
      grants: [
        { resource: 'core.actor', action: 'view-as', visibility: 'all' },
        ...['read', 'create', 'update', 'delete', 'export'].map(own),
      ],
    })
    for (const user of [repId, app.admin.who.actor.id])
      expect(await lead.post(viewAs, { user, reason: 'Curious' })).toMatchObject({
        status: 403,
        body: { code: 'VIEW_AS_MORE' },
      })
    expect(await names(lead)).toEqual([])
  })

  test('is never a partner’s person, and stands on a partner’s side while looking as one', async () => {
    const ana = await app.as(personOf(atlas, 'Ana'))
    expect((await ana.post(viewAs, { user: repId, reason: 'Curious' })).status).toBe(403)
    await app.admin.post('/api/deals/deals', { name: 'Of Atlas', partner: atlas })
    await app.admin.post('/api/deals/deals', { name: 'Of nobody' })
    const ada = await viewing(ana.who.actor.id!)
    expect((await ada.get('/api/deals/deals')).body.data).toMatchObject([{ name: 'Of Atlas' }])
    expect((await ada.get(accounts)).body.data).toEqual([])
  })

  test('says whom and why', async () => {
    const ada = await administrator()
    expect((await ada.post(viewAs, { user: repId })).status).toBe(422)
    expect(await ada.post(viewAs, { user: ada.who.actor.id, reason: 'Myself' })).toMatchObject({
      status: 422,
      body: { code: 'VIEW_AS_SELF' },
    })
    expect((await ada.post(viewAs, { user: '0193d1a2-0000-7000-8000-0000000000ff', reason: 'Nobody' })).status).toBe(
      404,
    )
  })
})
