import { salesPlugin } from '@socle/sales'
import { loyaltyPlugin } from '@socle/example-extend-contact'
import { z } from 'zod'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '../src/context.ts'
import { defineEvent } from '../src/events/event.ts'
import { admit } from '../src/plugins/check-plugins.ts'
import { contribution, definePlugin, defineRoute, provide, subscriber } from '../src/plugins/define-plugin.ts'
import { defineGuard } from '../src/records/define-resource.ts'
import { definePoint, defineService } from '../src/plugins/tokens.ts'
import { createTestApp, type TestApp } from '../src/testing/index.ts'

const OpportunityWon = defineEvent('sales.opportunity.won', { version: 1, payload: z.object({}) })
const OpportunityLost = defineEvent('sales.opportunity.lost', { version: 9, payload: z.object({}) })

interface Bells {
  ring(): string
}
const Bells = defineService<Bells>('desk/bells@2')
const OldBells = defineService<Bells>('desk/bells@1')
const Gongs = defineService<Bells>('desk/gongs@1')
const Rings = definePoint<string>('desk/rings@1')
const Absentees = defineService<Bells>('absent/absentees@1')

/** Offers a service in two versions, one that nobody declares, and a point. */
const deskPlugin = definePlugin({
  id: 'desk',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Desk', fr: 'Accueil' },
  points: [Rings],
  // Whoever writes an account is none of its peers.
  guards: [
    defineGuard('core.account', ['create'], ({ record, set }, ctx) => {
      if (record['name'] === 'Loud') set('name', ctx.use(Gongs).ring())
    }),
  ],
  provides: [Bells, OldBells, Gongs].map((service) => provide(service, () => ({ ring: () => service.id }))),
})

/** Takes hold of sales in every way there is, and of some that are not there. */
const clingingPlugin = definePlugin({
  id: 'clinging',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Clinging', fr: 'Accroché' },
  requires: { desk: '^1.0.0' },
  optional: { sales: '^1.0.0', absent: '^1.0.0' },
  uses: [Bells, OldBells, Rings, Absentees],
  contributes: [contribution(Rings, 'twice')],
  routes: [
    ...(
      [
        ['/bells', (ctx: Context) => ctx.use(OldBells).ring()],
        ['/rings', (ctx: Context) => ctx.contributions(Rings).join()],
        ['/gongs', (ctx: Context) => ctx.use(Gongs).ring()],
        ['/gongs-perhaps', (ctx: Context) => ctx.tryUse(Gongs)?.ring() ?? ''],
        ['/loud', async (ctx: Context) => String((await ctx.records.create('core.account', { name: 'Loud' }))['name'])],
        ['/absentees', (ctx: Context) => ctx.use(Absentees).ring()],
      ] as const
    ).map(([path, say]) =>
      defineRoute({
        method: 'get',
        path,
        permission: 'authenticated',
        summary: 'What it is told',
        answer: z.string(),
        handle: async (_, ctx) => say(ctx),
      }),
    ),
  ],
  capabilities: { reads: ['sales.opportunity'], hosts: ['api.example.com'] },
  subscribers: [
    subscriber('win', OpportunityWon, async () => {}),
    subscriber('lose', OpportunityLost, async () => {}),
    subscriber('moved', 'core.account.updated', async () => {}),
    subscriber('gone', 'absent.thing.gone', async () => {}),
  ],
  ui: {
    entry: './ui',
    fills: [
      { id: 'clinging.tab', slot: 'sales.opportunity.tabs@1', tag: 'clinging-tab' },
      { id: 'clinging.nowhere', slot: 'sales.opportunity.attic@1', tag: 'clinging-nowhere' },
      { id: 'clinging.none', slot: 'absent:place@1', tag: 'clinging-none' },
      { id: 'clinging.later', slot: 'absent:place@1', tag: 'clinging-later', when: { plugin: 'absent' } },
    ],
  },
})

let app: TestApp
beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin, loyaltyPlugin, deskPlugin, clingingPlugin] })
})
afterAll(() => app[Symbol.asyncDispose]())

const mapOf = async () => (await app.admin.get('/api/core/platform-map')).body.data

test('the map says who hears, extends, fills, links and reads whom, of all modules', async () => {
  const { plugins, ties } = await mapOf()
  expect(plugins.map(({ id }: { id: string }) => id)).toEqual(
    expect.arrayContaining(['core', 'sales', 'loyalty', 'clinging']),
  )
  expect(plugins).toContainEqual(
    expect.objectContaining({ id: 'clinging', title: 'Clinging', isOn: true, hosts: ['api.example.com'] }),
  )
  expect(ties).toEqual(
    expect.arrayContaining([
      { from: 'clinging', to: 'sales', kind: 'optional', what: ['^1.0.0'] },
      { from: 'clinging', to: 'sales', kind: 'hears', what: ['sales.opportunity.lost@9', 'sales.opportunity.won@1'] },
      { from: 'clinging', to: 'core', kind: 'hears', what: ['core.account.updated'] },
      { from: 'clinging', to: 'sales', kind: 'fills', what: ['sales.opportunity.attic@1', 'sales.opportunity.tabs@1'] },
      { from: 'clinging', to: 'desk', kind: 'uses', what: ['desk/bells@1', 'desk/bells@2', 'desk/rings@1'] },
      { from: 'clinging', to: 'desk', kind: 'contributes', what: ['desk/rings@1'] },
      { from: 'clinging', to: 'sales', kind: 'reads', what: ['sales.opportunity'] },
      { from: 'sales', to: 'core', kind: 'links', what: expect.arrayContaining(['sales.opportunity.account']) },
      { from: 'loyalty', to: 'core', kind: 'extends', what: expect.arrayContaining(['core.contact.loyaltyTier']) },
    ]),
  )
  expect(ties.every(({ from, to }: { from: string; to: string }) => from !== to && to !== 'absent')).toBe(true)
})

test('what leads nowhere is said with the reason: nobody tells it or offers it, its owner is not there, or off', async () => {
  const nowhere = async () => (await mapOf()).dangling.filter(({ plugin }: { plugin: string }) => plugin === 'clinging')
  const always = [
    { plugin: 'clinging', kind: 'hears', what: 'absent.thing.gone', owner: 'absent', why: 'missing' },
    { plugin: 'clinging', kind: 'fills', what: 'absent:place@1', owner: 'absent', why: 'missing' },
  ]
  expect(await nowhere()).toEqual(
    expect.arrayContaining([
      ...always,
      { plugin: 'clinging', kind: 'hears', what: 'sales.opportunity.lost@9', owner: 'sales', why: 'untold' },
      { plugin: 'clinging', kind: 'fills', what: 'sales.opportunity.attic@1', owner: 'sales', why: 'unoffered' },
    ]),
  )
  expect(await nowhere()).toHaveLength(4)
  await app.admin.post('/api/core/plugins/sales/disable')
  expect(await nowhere()).toEqual(
    expect.arrayContaining([
      ...always,
      { plugin: 'clinging', kind: 'hears', what: 'sales.opportunity.won@1', owner: 'sales', why: 'off' },
      { plugin: 'clinging', kind: 'fills', what: 'sales.opportunity.tabs@1', owner: 'sales', why: 'off' },
    ]),
  )
  await app.admin.post('/api/core/plugins/sales/enable')
})

test('a module that is off has its ties on the map and nothing that dangles', async () => {
  await app.admin.post('/api/core/plugins/clinging/disable')
  const { plugins, ties, dangling } = await mapOf()
  expect(plugins.find(({ id }: { id: string }) => id === 'clinging')).toMatchObject({ isOn: false })
  expect(ties.some(({ from }: { from: string }) => from === 'clinging')).toBe(true)
  expect(dangling.filter(({ plugin }: { plugin: string }) => plugin === 'clinging')).toEqual([])
  await app.admin.post('/api/core/plugins/clinging/enable')
})

test('the map needs the permission to see modules', async () => {
  const nobody = await app.as({ may: ['core.account.read'] })
  expect(await nobody.get('/api/core/platform-map')).toMatchObject({
    status: 403,
    body: { code: 'PERMISSION_DENIED', detail: expect.stringContaining('core.plugin.read') },
  })
})

test('what breaks without a module names who uses which version of its services, points and places', async () => {
  const { uses, dependents } = (await app.admin.get('/api/core/plugins/desk/what-breaks')).body.data
  expect(dependents).toEqual([{ id: 'clinging', title: 'Clinging' }])
  expect(uses).toEqual(
    [
      ['contributes', 'desk/rings@1'],
      ['uses', 'desk/bells@2'],
      ['uses', 'desk/bells@1'],
      ['uses', 'desk/rings@1'],
    ].map(([kind, what]) => ({ plugin: 'clinging', title: 'Clinging', kind, what })),
  )
  const { uses: ofSales } = (await app.admin.get('/api/core/plugins/sales/what-breaks')).body.data
  expect(ofSales).toContainEqual({
    plugin: 'clinging',
    title: 'Clinging',
    kind: 'fills',
    what: 'sales.opportunity.tabs@1',
  })
})

test('a module is handed what it declares, and refused what it does not, whoever asks', async () => {
  const ask = (path: string) => app.admin.get(`/api/clinging/${path}`)
  expect((await ask('bells')).body).toBe('desk/bells@1')
  expect((await ask('rings')).body).toBe('twice')
  for (const path of ['gongs', 'gongs-perhaps'])
    expect(await ask(path)).toMatchObject({
      status: 500,
      body: { code: 'USE_UNDECLARED', detail: expect.stringContaining('clinging asked for desk/gongs@1') },
    })
  // A guard is asked with what is its own module's, whoever writes.
  expect((await ask('loud')).body).toBe('desk/gongs@1')
  // Its peer need not be there, and then nobody provides it.
  expect((await ask('absentees')).body).toMatchObject({ status: 409, code: 'SERVICE_ABSENT' })
})

test('a module whose peer no longer offers what it uses says so on the map and on its card', async () => {
  const { provides: _, ...rest } = deskPlugin
  const bare = definePlugin({ ...rest, provides: [provide(Bells, () => ({ ring: () => '' }))] })
  await using other = await createTestApp({ plugins: [bare, clingingPlugin] })
  const { dangling } = (await other.admin.get('/api/core/platform-map')).body.data
  expect(dangling).toContainEqual({
    plugin: 'clinging',
    kind: 'uses',
    what: 'desk/bells@1',
    owner: 'desk',
    why: 'unoffered',
  })
  expect(dangling.filter(({ kind, owner }: Record<string, string>) => kind === 'uses' && owner === 'absent')).toEqual(
    [],
  )
  const { data } = (await other.admin.get('/api/core/plugins')).body
  expect(data.find(({ id }: { id: string }) => id === 'clinging').waitsFor).toContain('desk/bells@1')
})

test('what is used must be of a peer that is named', () => {
  const { refused } = admit([deskPlugin, { ...clingingPlugin, requires: {} }])
  expect(refused.get('clinging')).toMatchObject({
    code: 'USE_WITHOUT_PEER',
    message: expect.stringContaining('desk neither under "requires" nor under "optional"'),
  })
})
