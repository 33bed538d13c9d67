import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, uniqueName, visit } from './browser.ts'
import { startCompany, type Company } from './company.ts'

let at: Company
let end: () => Promise<void>

beforeAll(async () => {
  ;({ company: at, end } = await startCompany('ui-shell/e2e/parts-company.ts'))
})
afterAll(() => end())

const briefing = (page: Page, name = 'Briefing') => page.getByRole('region', { name })
const complained = (complaints: readonly string[]) =>
  // A part may ask once more while its module goes.
  complaints.filter((it) => /^(error|uncaught|content policy)/.test(it) && !it.includes('status of 404'))

test('a part inside another module’s part comes and goes with each of the two, without a reload', async () => {
  await using claire = await visit('/', { at })
  const { page, api, complaints } = claire
  const contact = await api.create('/api/core/contacts', {
    lastName: uniqueName('Lovelace'),
    loyaltyTier: 'gold',
    loyaltyPoints: 520,
  })
  await page.goto(`/contacts/${contact.id}`)
  await page.evaluate(() => Object.assign(window, { sameDocument: true }))
  const nested = briefing(page).locator('[data-tag=loyalty-beside]')
  await nested.getByText('Gold').waitFor()
  await briefing(page).getByText('Has 520 loyalty points.').waitFor()
  const context = await nested.evaluate((element) => {
    const { context: handed } = element as unknown as { context: Record<string, unknown> }
    return { ...handed, isFrozen: Object.isFrozen(handed) }
  })
  expect(context).toEqual({ contact: contact.id, name: contact['name'], isFrozen: true })

  await api.post('/api/core/plugins/loyalty/disable', {})
  await nested.waitFor({ state: 'detached' })
  await briefing(page).getByText('No module has a remark.').waitFor()
  await api.post('/api/core/plugins/loyalty/enable', {})
  await nested.getByText('Gold').waitFor()

  await api.post('/api/core/plugins/briefing/disable', {})
  await briefing(page).waitFor({ state: 'detached' })
  expect(await page.locator('[data-tag]').count()).toBe(0)
  await api.post('/api/core/plugins/briefing/enable', {})
  await nested.getByText('Gold').waitFor()
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true)
  expect(complained(complaints)).toEqual([])
})

test('a screen of a module offers its place on a first visit too, in the reader’s language and on a phone', async () => {
  await using camille = await visit('/', { at, as: 'camille', size: { width: 390, height: 844 } })
  const { page, api, complaints } = camille
  const name = uniqueName('Byron')
  await api.create('/api/core/contacts', { lastName: name, loyaltyTier: 'silver', loyaltyPoints: 1 })
  await page.goto('/briefing/contacts')
  const card = page.getByRole('listitem').filter({ hasText: name })
  await card.getByText('A 1 point de fidélité.').waitFor()
  await card.getByText('Argent').waitFor()
  await eventually(() => page.getByText('Pas membre').count()).toBeGreaterThan(0)
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth])
  expect(widths[0]).toBe(widths[1])
  expect(complained(complaints)).toEqual([])
})
