import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, isFocused, settled, visit } from './browser.ts'
import { startCompany, type Company } from './company.ts'
import { findings, misfits, missingWords } from './walk.ts'

let at: Company
let end: () => Promise<void>

beforeAll(async () => {
  ;({ company: at, end } = await startCompany('ui-shell/e2e/broken-company.ts'))
})
afterAll(() => end())

const node = (page: Page, title: string) =>
  page.getByRole('group', { name: /^Modules and what holds them together/ }).getByRole('button', { name: title })
const ties = (page: Page) => page.getByRole('table', { name: 'All ties' }).getByRole('row')

test('the map says who hears whom, in a picture and in a table, and what leads nowhere', async () => {
  await using claire = await visit('/settings/map', { at })
  const { page } = claire
  await node(page, 'Stumbling').waitFor()
  const tie = ties(page).filter({ hasText: 'Stumbling' }).filter({ hasText: 'Sales' })
  expect((await tie.getByRole('cell').allInnerTexts()).map((it) => it.trim())).toEqual([
    'hears',
    'Sales',
    'Opportunity won',
  ])
  const nowhere = page.getByRole('region', { name: 'What leads nowhere' }).getByRole('listitem')
  expect(await nowhere.allInnerTexts()).toEqual([
    'Stumbling hears “lending.loan.returned”, but no module lending is installed to tell it.',
  ])
  await page.getByRole('searchbox', { name: 'Module, event, field' }).fill('opportunity won')
  await eventually(() => ties(page).count()).toBe(2)
  await page.getByRole('searchbox').fill('')
  await page.getByRole('group', { name: 'Kinds of ties' }).getByRole('button', { name: 'points at' }).click()
  await eventually(() => ties(page).filter({ hasText: 'points at' }).count()).toBe(0)
  expect(await ties(page).filter({ hasText: 'hears' }).count()).toBeGreaterThan(1)
})

test('a module is thought to be off without being switched: what that breaks, and who would hear nothing', async () => {
  await using claire = await visit('/settings/map', { at })
  const { page, api } = claire
  const { data } = await api.get<{ data: { records: { count: number }[] } }>('/api/core/plugins/sales/what-breaks')
  await node(page, 'Sales').click()
  const sales = page.getByRole('region', { name: 'Sales', exact: true })
  await sales.getByText('Stumbling hears events of Sales.').waitFor()
  await sales.getByRole('link', { name: 'What if it were off?' }).click()
  const whatIf = page.getByRole('region', { name: 'If Sales were off' })
  const records = data.records.reduce((sum, it) => sum + it.count, 0)
  await whatIf.getByText(`${records.toLocaleString('en')} records cannot be reached`).waitFor()
  await whatIf.getByText('Stumbling hears “Opportunity won”, but Sales is off here').waitFor()
  await node(page, 'Sales would be off').waitFor()
  const { data: cards } = await api.get<{ data: { id: string; state: string }[] }>('/api/core/plugins')
  expect(cards.find(({ id }) => id === 'sales')?.state).toBe('enabled')
  await whatIf.getByRole('link', { name: 'Back as it is' }).click()
  await whatIf.waitFor({ state: 'detached' })
  await node(page, 'Sales on').waitFor()
})

test('arrows go along the lines from module to module, and Enter chooses', async () => {
  await using claire = await visit('/settings/map', { at })
  const { page } = claire
  await node(page, 'Stumbling').focus()
  await page.keyboard.press('ArrowRight')
  await eventually(() => isFocused(node(page, 'Sales'))).toBe(true)
  await page.keyboard.press('ArrowRight')
  await eventually(() => isFocused(node(page, 'Socle'))).toBe(true)
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Socle', exact: true }).waitFor()
  expect(new URL(page.url()).searchParams.get('plugin')).toBe('core')
})

test('in French and on a phone the table says what the picture says', async () => {
  await using camille = await visit('/settings/map?plugin=sales&off=sales', {
    at,
    as: 'camille',
    size: { width: 390, height: 844 },
  })
  const { page } = camille
  await page.getByText('Trébuchant écoute « Opportunité gagnée », mais Ventes est désactivé ici').waitFor()
  await page.getByRole('row').filter({ hasText: 'Trébuchant' }).first().waitFor()
  await settled(page)
  const missing = (await missingWords(page)).filter((word) => !/^(lending|stumbling|sales)\./.test(word))
  expect.soft(missing, 'keys without a translation').toEqual([])
  expect.soft(await misfits(page), 'at 390 px').toEqual([])
  expect.soft(await findings(page), 'axe').toEqual([])
})
