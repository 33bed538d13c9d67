import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { html } from '../src/index.ts'
import { admit } from '../src/plugins/check-plugins.ts'
import { definePage, definePages, definePlugin, pagePath, type PageAnswer } from '../src/plugins/define-plugin.ts'
import type { Context } from '../src/context.ts'
import { z } from 'zod'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'

const bare = (id: string, prefix: string) =>
  definePlugin({
    id,
    version: '1.0.0',
    platform: '^1.0.0',
    title: { en: id, fr: id },
    publicPages: [definePages(prefix, { title: { en: 'Open', fr: 'Ouvert' }, pages: [] })],
  })

/** What the page answers next. */
let show: (ctx: Context) => Promise<PageAnswer>
const name = z.object({ name: z.string().min(1) })
const visits = definePlugin({
  id: 'visits',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Visits', fr: 'Visites' },
  publicPages: [
    definePages('visit', {
      title: { en: 'Visiting book', fr: 'Livre d’or' },
      pages: [
        definePage({ method: 'get', path: '/', summary: 'The book', handle: (_, ctx) => show(ctx) }),
        definePage({ method: 'get', path: '/letters/:token', summary: 'A letter', handle: (_, ctx) => show(ctx) }),
        definePage({
          method: 'get',
          path: '/thanks/:name',
          summary: 'Thanks',
          params: name,
          handle: async ({ params }, { workspace }) => ({ html: html`<p>${params.name} at ${workspace.slug}</p>` }),
        }),
        definePage({
          method: 'post',
          path: '/',
          summary: 'Signs the book',
          body: name,
          async handle({ body }, ctx) {
            await ctx.asSystem().records.create('core.account', { name: body.name })
            return { redirect: `/thanks/${encodeURIComponent(body.name)}` }
          },
        }),
      ],
    }),
  ],
})

let app: TestApp
let other: TestWorkspace
const home = () => pagePath(app.admin.who.workspace, 'visit')
const open = (path: string, init: RequestInit = {}) =>
  app.app.fetch(new Request(new URL(path, 'http://localhost'), init))
const sign = (path: string, body: string) =>
  open(path, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
const standing = (verb: 'enable' | 'disable') => app.admin.post(`/api/core/plugins/visits/${verb}`)
const accounts = async (named: string) =>
  (await app.admin.get(`/api/core/accounts?q=${named}`)).body.data.map((it: { name: string }) => it.name)

beforeAll(async () => {
  app = await createTestApp({ plugins: [visits], enable: ['visits'], now: '2026-03-02T09:00:00Z' })
  other = await app.secondWorkspace()
  await other.admin.post('/api/core/plugins/visits/disable')
})
afterAll(() => app[Symbol.asyncDispose]())
beforeEach(() => {
  show = async () => ({ html: html`<h1>Book</h1>` })
})

test('a page is shown without sign-in, kept by nobody, framed by nobody and without a cookie', async () => {
  const page = await open(home(), { headers: { cookie: 'socle_session=forged' } })
  expect([page.status, await page.text()]).toEqual([200, '<h1>Book</h1>'])
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
  expect(Object.fromEntries(page.headers)).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex, nofollow',
  })
  expect(page.headers.get('set-cookie')).toBeNull()
})

test('what a visitor wrote is escaped', async () => {
  const page = await open(`${home()}/thanks/${encodeURIComponent('<script>')}`)
  expect(await page.text()).toBe(`<p>&lt;script&gt; at ${app.admin.who.workspace.slug}</p>`)
})

test('a form writes and goes on to another page below the prefix', async () => {
  const sent = await sign(home(), 'name=Comptoir+Garonne')
  expect([sent.status, sent.headers.get('location')]).toEqual([303, `${home()}/thanks/Comptoir%20Garonne`])
  expect(await accounts('Garonne')).toEqual(['Comptoir Garonne'])
})

test('a form that is wrong or too large is refused before the plugin sees it', async () => {
  expect((await sign(home(), 'name=')).status).toBe(422)
  expect((await sign(home(), `name=${'a'.repeat(70_000)}`)).status).toBe(413)
})

test('opening a page changes nothing, whatever its plugin tries, and a link may be asked about by HEAD', async () => {
  show = async (ctx) => {
    await ctx.asSystem().records.create('core.account', { name: 'Scanned' })
    return { html: html`` }
  }
  const page = await open(home())
  expect([page.status, await page.json()]).toMatchObject([500, { code: 'PAGE_READ_ONLY' }])
  expect((await open(home(), { method: 'HEAD' })).status).toBe(500)
  expect(await accounts('Scanned')).toEqual([])
})

test('the address alone lets in, so nobody who reads logs is told it', async () => {
  for (const fault of [
    () => Promise.reject(new TypeError('No letter')),
    (ctx: Context) => ctx.asSystem().records.create('core.account', { name: 'Scanned' }),
  ]) {
    show = async (ctx) => {
      await fault(ctx)
      return { html: html`` }
    }
    const page = await open(`${home()}/letters/q7Zk2sB9`)
    expect(page.status).toBe(500)
    expect(await page.text()).not.toContain('q7Zk2sB9')
  }
  expect(app.logged.length).toBeGreaterThan(0)
  expect(JSON.stringify(app.logged, (_, it: unknown) => (it instanceof Error ? it.message : it))).not.toContain(
    'q7Zk2sB9',
  )
})

test('a visitor may nothing that the plugin does not do as itself', async () => {
  show = async (ctx) => ({ html: html`${JSON.stringify(await ctx.records.list('core.account', {}))}` })
  expect((await open(home())).status).toBe(403)
})

describe('answers alike', () => {
  const refusal = async (path: string) => {
    const answer = await open(path)
    const { instance: _, requestId: __, ...body } = (await answer.json()) as Record<string, unknown>
    return { status: answer.status, body }
  }

  test('an absent workspace, prefix, page and record, and a workspace that has the plugin off', async () => {
    const { slug } = app.admin.who.workspace
    const absent = await refusal(`/p/${slug}/nothing`)
    expect(absent).toMatchObject({ status: 404, body: { code: 'PAGE_NOT_FOUND' } })
    for (const path of [`/p/nobody/visit`, `${home()}/none`, pagePath(other.admin.who.workspace, 'visit')])
      expect(await refusal(path), path).toEqual(absent)
    show = async (ctx) => {
      await ctx.asSystem().records.get('core.account', '01890000-0000-7000-8000-000000000000')
      return { html: html`` }
    }
    expect(await refusal(home())).toEqual(absent)
  })

  test('who reads pages is told on a page, in their language', async () => {
    const page = await open(`${home()}/none`, { headers: { accept: 'text/html', 'accept-language': 'fr' } })
    expect(page.headers.get('content-type')).toMatch('text/html')
    expect(await page.text()).toMatch(/lang=.?fr.*Il n’y a pas de page/s)
  })
})

test('each workspace has its own, as it switches them on', async () => {
  await other.admin.post('/api/core/plugins/visits/enable')
  const theirs = pagePath(other.admin.who.workspace, 'visit')
  expect(await (await open(`${theirs}/thanks/Ada`)).text()).toContain(other.admin.who.workspace.slug)
  await sign(theirs, 'name=Elsewhere')
  expect(await accounts('Elsewhere')).toEqual([])
  await other.admin.post('/api/core/plugins/visits/disable')
  expect([(await open(theirs)).status, (await open(home())).status]).toEqual([404, 200])
})

test('off is not found and on is there again, at once; stopped is out of service', async () => {
  await standing('disable')
  expect((await open(home())).status).toBe(404)
  await standing('enable')
  expect((await open(home())).status).toBe(200)
  const where = sql`plugin = 'visits' and workspace = ${app.admin.who.workspace.id}::uuid`
  const { database, enablement } = app.app.kernel.parts
  const move = { plugin: 'visits', workspace: app.admin.who.workspace.id, at: new Date() }
  await enablement.move({ ...move, state: 'quarantined', reason: '{}' })
  expect((await open(home())).status).toBe(503)
  await enablement.move({ ...move, state: 'enabled' })
  await sql`update core.plugin_workspace set reason = null where ${where}`.execute(database.owner)
  expect((await open(home())).status).toBe(200)
})

test('one place that opens page after page waits', async () => {
  let last = await open(home())
  for (let nth = 0; nth < 310 && last.status === 200; nth += 1) last = await open(`${home()}/thanks/${nth}`)
  expect(last.status).toBe(429)
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('the map and what breaks name the pages', async () => {
  const map = await app.admin.get('/api/core/platform-map')
  expect(map.body.data.plugins).toContainEqual(expect.objectContaining({ id: 'visits', pages: ['/p/…/visit'] }))
  const breaks = await app.admin.get('/api/core/plugins/visits/what-breaks')
  expect(breaks.body.data.pages).toEqual([{ title: 'Visiting book', path: home() }])
})

test('a prefix that another plugin has is a collision that names both', () => {
  const { refused } = admit([bare('first', 'forms'), bare('second', 'forms')])
  expect(refused.get('second')?.message).toMatch(/\/forms is claimed by first and by second/)
  expect(refused.get('second')?.code).toBe('CONTRIBUTION_COLLISION')
})
