import { loyaltyPlugin } from '@socle/example-extend-contact'
import { createTestApp, type TestApp } from '@socle/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { briefingPlugin } from '../src/plugin.ts'

let app: TestApp
let member: string

beforeAll(async () => {
  app = await createTestApp({ plugins: [briefingPlugin, loyaltyPlugin] })
  member = (await app.admin.post('/api/core/contacts', { lastName: 'Lovelace', loyaltyPoints: 520 })).body.data.id
})
afterAll(() => app[Symbol.asyncDispose]())

const remarksOn = (contact: string) => app.admin.get(`/api/briefing/contacts/${contact}/remarks`)

async function fills(): Promise<string[]> {
  const shell = (await app.admin.get('/api/core/shell')).body
  return shell.fills.map(({ id, slot }: { id: string; slot: string }) => `${id} in ${slot}`)
}

test('a module remarks on a contact and draws beside it for as long as the briefing and it are on', async () => {
  const both = ['briefing.side in core.contact.side@1', 'loyalty.beside in briefing:contact.beside@1']
  expect((await remarksOn(member)).body).toEqual({ data: ['Has 520 loyalty points.'] })
  expect((await fills()).toSorted((a, b) => a.localeCompare(b))).toEqual(both)

  await app.admin.post('/api/core/plugins/loyalty/disable', {})
  expect((await remarksOn(member)).body).toEqual({ data: [] })
  expect(await fills()).toEqual(['briefing.side in core.contact.side@1'])

  await app.admin.post('/api/core/plugins/loyalty/enable', {})
  await app.admin.post('/api/core/plugins/briefing/disable', {})
  expect(await remarksOn(member)).toMatchObject({ status: 404, body: { code: 'PLUGIN_DISABLED' } })
  expect(await fills()).toEqual([])

  await app.admin.post('/api/core/plugins/briefing/enable', {})
  expect((await remarksOn(member)).body).toEqual({ data: ['Has 520 loyalty points.'] })
  expect(await fills()).toHaveLength(2)
})

test('a contact that its reader may not see has no remarks, and one without membership neither', async () => {
  const stranger = await app.as({ grants: [{ resource: 'core.contact', action: 'read', visibility: 'own' }] })
  const hidden = await stranger.get(`/api/briefing/contacts/${member}/remarks`)
  const absent = await stranger.get('/api/briefing/contacts/018f0000-0000-7000-8000-000000000000/remarks')
  expect(hidden.status).toBe(404)
  expect(hidden.body.code).toBe(absent.body.code)
  const other = (await app.admin.post('/api/core/contacts', { lastName: 'Babbage' })).body.data.id
  expect((await remarksOn(other)).body).toEqual({ data: [] })
})
