import { loyaltyPlugin } from '@socle/example-extend-contact'
import { briefingPlugin } from '@socle/example-slot-provider'
import { expect, test } from 'vitest'
import { contacts } from '../src/entities/resources.ts'
import { contribution, definePlugin, provide } from '../src/plugins/define-plugin.ts'
import { manifestOf } from '../src/plugins/manifest.ts'
import { addedByManifest, HomeWidgets, unoffered } from '../src/plugins/offers.ts'
import { definePoint, defineService, defineSlot } from '../src/plugins/tokens.ts'
import { defineSettings, setting } from '../src/plugins/settings/define-settings.ts'
import { defineGuard } from '../src/records/define-resource.ts'
import { createTestApp } from '../src/testing/index.ts'

const words = { en: 'Hopeful', fr: 'Optimiste' }
const fill = (name: string, slot: string) => ({ id: `hopeful.${name}`, slot, tag: `hopeful-${name}` as const })

/** Adds to what is offered, to versions nobody has, and to what a plugin that is absent would offer. */
const hopefulPlugin = definePlugin({
  id: 'hopeful',
  version: '1.0.0',
  platform: '^1.0.0',
  title: words,
  contributes: [
    contribution(definePoint('briefing/remarks@2'), 'anything'),
    contribution(definePoint('absent/remarks@1'), 'anything', { when: { plugin: 'absent' } }),
  ],
  ui: {
    entry: './ui',
    fills: [
      fill('home', 'core:home.widgets@1'),
      fill('contact', 'core.contact.tabs@1'),
      fill('beside', 'briefing:contact.beside@1'),
      fill('later', 'briefing:contact.beside@2'),
      fill('mistyped', 'core.contacts.tabs@1'),
      { ...fill('absent', 'absent:place@1'), when: { plugin: 'absent' } },
    ],
  },
})

test('what is added to a place nobody offers is shown nowhere, and the module’s card says for what it waits', async () => {
  await using app = await createTestApp({ plugins: [briefingPlugin, loyaltyPlugin, hopefulPlugin] })
  const shown = async () => {
    const { fills } = (await app.admin.get('/api/core/shell')).body
    return fills.flatMap(({ id, plugin }: { id: string; plugin: string }) => (plugin === 'hopeful' ? [id] : []))
  }
  const waitsFor = async (plugin: string) => {
    const { data } = (await app.admin.get('/api/core/plugins')).body
    return data.find(({ id }: { id: string }) => id === plugin).waitsFor
  }
  const missing = ['briefing:contact.beside@2', 'core.contacts.tabs@1', 'briefing/remarks@2']
  expect(await shown()).toEqual(['hopeful.home', 'hopeful.contact', 'hopeful.beside'])
  expect(await waitsFor('hopeful')).toEqual(missing)
  expect(await waitsFor('loyalty')).toEqual([])

  await app.admin.post('/api/core/plugins/briefing/disable', {})
  expect(await shown()).toEqual(['hopeful.home', 'hopeful.contact'])
  expect(await waitsFor('hopeful')).toEqual(['briefing:contact.beside@1', ...missing])
  // It says itself that it waits for the briefing.
  expect(await waitsFor('loyalty')).toEqual([])
  await app.admin.post('/api/core/plugins/briefing/enable', {})
  expect(await shown()).toEqual(['hopeful.home', 'hopeful.contact', 'hopeful.beside'])
})

test('a module that offers a slot, an extension point or a service under another’s name stays out, and says how to call it', async () => {
  const claim = (id: string, parts: object) =>
    definePlugin({ id, version: '1.0.0', platform: '^1.0.0', title: words, ...parts })
  const offered = {
    slot: { slots: [defineSlot('briefing:contact.beside@1')] },
    point: { points: [definePoint('core/remarks@1')] },
    service: { provides: [provide(defineService('briefing-more/scores@1'), () => ({}))] },
  }
  await using app = await createTestApp({
    plugins: [...Object.entries(offered).map(([id, parts]) => claim(id, parts)), briefingPlugin],
    enable: ['briefing'],
  })
  const cards: { id: string; state: string; incidents: unknown }[] = (await app.admin.get('/api/core/plugins')).body
    .data
  const why = (id: string) => JSON.stringify(cards.find((card) => card.id === id))
  expect(why('slot')).toContain('slot offers \\"briefing:contact.beside@1\\", a name of another module.')
  expect(why('slot')).toContain('call it \\"slot:contact.beside@1\\"')
  expect(why('point')).toContain('call it \\"point/remarks@1\\"')
  expect(why('service')).toContain('call it \\"service/scores@1\\"')
  expect(cards.find(({ id }) => id === 'briefing')).toMatchObject({ state: 'enabled' })
})

test('a review says for what a module would wait, before any of its code runs', () => {
  const manifest = manifestOf(hopefulPlugin)
  const missing = ['briefing:contact.beside@2', 'core.contacts.tabs@1', 'briefing/remarks@2']
  const core = definePlugin({
    id: 'core',
    version: '1.0.0',
    platform: '^1.0.0',
    title: words,
    resources: [contacts],
    slots: [HomeWidgets],
  })
  expect(unoffered(addedByManifest(manifest), [core, briefingPlugin])).toEqual(missing)
  expect(unoffered(addedByManifest(manifest), [core])).toEqual(['briefing:contact.beside@1', ...missing])
  expect(unoffered(addedByManifest(manifestOf(briefingPlugin)), [core])).toEqual([])
})

test('a manifest says of each part for which plugin it waits, in which versions, and a review goes by it', () => {
  const { fills, contributes } = manifestOf(loyaltyPlugin)
  expect(fills).toMatchObject([
    { id: 'loyalty.beside', slot: 'briefing:contact.beside@1', when: { plugin: 'briefing' } },
  ])
  expect(contributes).toEqual([{ point: 'briefing/remarks@1', when: { plugin: 'briefing', range: '^1.0.0' } }])
  const range = (it: string) =>
    manifestOf(
      definePlugin({
        id: 'careful',
        version: '1.0.0',
        platform: '^1.0.0',
        title: words,
        contributes: [contribution(definePoint('briefing/remarks@9'), {}, { when: { plugin: 'briefing', range: it } })],
        guards: [defineGuard('core.contact', ['delete'], () => {}, { when: { plugin: 'briefing', range: it } })],
        jobs: [{ id: 'sweep', title: words, schedule: '0 3 * * *', run: async () => {} }],
        settings: defineSettings('careful', {
          days: setting.integer({ title: words, initial: 3, min: 0, max: 9 }),
          mood: setting.select({ title: words, options: { good: words, bad: words }, initial: 'good' }),
        }),
      }),
    )
  expect(range('^2.0.0')).toMatchObject({
    contributes: [{ when: { plugin: 'briefing', range: '^2.0.0' } }],
    guards: [{ when: { plugin: 'briefing', range: '^2.0.0' } }],
    jobs: [{ id: 'sweep', title: words }],
    settings: [
      { name: 'days', min: 0, max: 9 },
      { name: 'mood', options: ['good', 'bad'] },
    ],
  })
  expect(unoffered(addedByManifest(range('^1.0.0')), [briefingPlugin])).toEqual(['briefing/remarks@9'])
  expect(unoffered(addedByManifest(range('^2.0.0')), [briefingPlugin])).toEqual([])
})
