import type { Page } from 'playwright-core'
import { afterEach, expect, test } from 'vitest'
import { eventually, toast, uniqueName, visit } from './browser.ts'
import type { Visit } from './browser.ts'

// A test that stops halfway must not leave the next one without its module.
afterEach(async () => {
  await using claire = await visit('/settings/modules')
  for (const id of ['sales', 'hello']) await claire.api.post(`/api/core/plugins/${id}/enable`, {})
})

const link = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Main navigation' }).getByRole('link', { name })

/** A mark on the page itself: a reload would wipe it away. */
async function mark(page: Page): Promise<() => Promise<boolean>> {
  await page.evaluate(() => Object.assign(window, { sameDocument: true }))
  return () => page.evaluate(() => 'sameDocument' in window)
}

async function switchOff(page: Page, title: string): Promise<void> {
  await page.getByRole('switch', { name: title }).click()
  await page.getByRole('dialog', { name: `Switch off ${title}?` }).waitFor()
  await page.getByText('All data is kept').waitFor()
  await page.getByRole('button', { name: 'Switch off', exact: true }).click()
  await toast(page, `${title} is off`).waitFor()
}

async function switchOn(page: Page, title: string): Promise<void> {
  await page.getByRole('switch', { name: title }).click()
  await eventually(() => page.getByRole('switch', { name: title }).getAttribute('aria-checked')).toBe('true')
}

async function found(page: Page, text: string): Promise<string[]> {
  await page.keyboard.press('Control+k')
  const box = page.getByRole('combobox', { name: 'Find or do anything' })
  await box.fill(text)
  const list = page.getByRole('listbox', { name: 'Results' })
  await eventually(() => list.getAttribute('aria-busy')).not.toBe('true')
  const options = await list.getByRole('option').allInnerTexts()
  // The first step back takes the text away, the second closes.
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await box.waitFor({ state: 'detached' })
  return options
}

async function twoTabs(at: string): Promise<{ claire: Visit; other: Page; stays: () => Promise<boolean> }> {
  const claire = await visit('/settings/modules')
  const other = await claire.tab(at)
  return { claire, other, stays: await mark(other) }
}

test('what a switch breaks is counted before it acts, and keeping changes nothing', async () => {
  await using claire = await visit('/settings/modules')
  const { page, api } = claire
  const { data } = await api.get<{ data: { screens: unknown[]; records: { name: string; count: number }[] } }>(
    '/api/core/plugins/sales/what-breaks',
  )
  await page.getByRole('switch', { name: 'Sales' }).click()
  const dialog = page.getByRole('dialog', { name: 'Switch off Sales?' })
  const records = data.records.reduce((sum, it) => sum + it.count, 0)
  await page.getByText(`${records.toLocaleString('en')} records cannot be reached`).waitFor()
  await page.getByRole('button', { name: 'Keep it on' }).click()
  await dialog.waitFor({ state: 'detached' })
  await link(page, 'Opportunities').waitFor()
  expect(await page.getByRole('switch', { name: 'Sales' }).getAttribute('aria-checked')).toBe('true')
})

test('arrows go from module to module, and Space asks before it switches', async () => {
  await using claire = await visit('/settings/modules')
  const { page } = claire
  await page.getByRole('switch', { name: 'Sales' }).focus()
  await page.keyboard.press('ArrowDown')
  await eventually(() => page.getByRole('switch', { name: 'Hello' }).evaluate((it) => it.matches(':focus'))).toBe(true)
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Space')
  await page.getByRole('dialog', { name: 'Switch off Sales?' }).waitFor()
  await page.keyboard.press('Escape')
  expect(await page.getByRole('switch', { name: 'Sales' }).getAttribute('aria-checked')).toBe('true')
})

test('sales switched off in one tab leaves the other without a reload, and comes back with all its data', async () => {
  const { claire, other, stays } = await twoTabs('/sales/opportunities')
  await using _ = claire
  const { page, api } = claire
  const name = uniqueName('Switched')
  const opportunity = await api.create('/api/sales/opportunities', { name })
  await other.getByRole('grid', { name: 'Opportunities' }).getByRole('row').nth(1).waitFor()
  expect((await found(other, name)).join()).toContain(name)
  expect((await found(other, 'opportunities')).join()).toContain('Opportunities')

  await switchOff(page, 'Sales')
  await other.getByRole('heading', { level: 1, name: 'Hello Claire' }).waitFor()
  await toast(other, 'Sales was switched off').waitFor()
  await link(other, 'Opportunities').waitFor({ state: 'detached' })
  expect(await other.getByText('Open pipeline').count()).toBe(0)
  expect((await found(other, name)).join()).not.toContain(name)
  expect((await found(other, 'opportunities')).join()).not.toContain('Opportunities')
  expect((await claire.context.request.get('/api/sales/opportunities')).status()).toBe(404)
  expect(await stays()).toBe(true)

  await switchOn(page, 'Sales')
  await link(other, 'Opportunities').click()
  const address = `/sales/opportunities?${new URLSearchParams({ filter: `name = "${name}"` })}`
  await other.getByRole('grid', { name: 'Opportunities' }).getByRole('row').nth(1).waitFor()
  expect(await stays()).toBe(true)
  expect((await api.record('/api/sales/opportunities', opportunity.id))['name']).toBe(name)
  expect((await found(other, name)).join()).toContain(name)
  await other.goto(address)
  await other.getByRole('rowheader', { name }).waitFor()
})

test('a module that is back hears events again: an opportunity won makes its account a client', async () => {
  await using claire = await visit('/settings/modules')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Won'), lifecycle: 'prospect' })
  await switchOff(page, 'Sales')
  await toast(page, 'Sales is off').getByRole('button', { name: 'Switch on again' }).click()
  await link(page, 'Opportunities').waitFor()

  const { data: stages } = await api.get<{ data: { id: string }[] }>(
    `/api/sales/stages?${new URLSearchParams({ filter: 'kind = "won"' })}`,
  )
  const opportunity = await api.create('/api/sales/opportunities', { name: uniqueName('Won'), account: account.id })
  await api.patch(`/api/sales/opportunities/${opportunity.id}`, { stage: stages[0]?.id, version: opportunity.version })
  await eventually(async () => (await api.record('/api/core/accounts', account.id))['lifecycle']).toBe('client')
})

test('a form being filled when its module goes off keeps its text to be copied', async () => {
  const { claire, other, stays } = await twoTabs('/sales/opportunities?create=1')
  await using _ = claire
  const words = uniqueName('Half typed')
  await other.getByRole('textbox', { name: 'Name', exact: true }).fill(words)
  await switchOff(claire.page, 'Sales')
  await other.getByRole('dialog', { name: 'Your text is still here' }).waitFor()
  const kept = other.getByRole('textbox', { name: 'New opportunity' })
  expect(await kept.inputValue()).toContain(words)
  expect(await stays()).toBe(true)
})

test('hello goes and comes back in an open tab, its own screen too', async () => {
  const { claire, other, stays } = await twoTabs('/hello/wall')
  await using _ = claire
  const { page } = claire
  await link(other, 'Wall').waitFor()
  await switchOff(page, 'Hello')
  await toast(other, 'Hello was switched off').waitFor()
  await link(other, 'Wall').waitFor({ state: 'detached' })
  await link(other, 'Greetings').waitFor({ state: 'detached' })
  expect(new URL(other.url()).pathname).toBe('/')

  await switchOn(page, 'Hello')
  await link(other, 'Wall').click()
  await other.getByRole('heading', { level: 1, name: 'Wall' }).waitFor()
  expect(new URL(other.url()).pathname).toBe('/hello/wall')
  expect(await stays()).toBe(true)
})

test('platform P41: what a module lets a company choose is a form, kept and read again', async () => {
  await using claire = await visit('/settings/modules')
  const { page, api } = claire
  const kept = async () =>
    (await api.get<{ data: { values: { wonMakesClient: boolean } } }>('/api/core/plugins/sales/settings')).data.values
  const box = page.getByRole('checkbox', { name: 'Winning makes a client' })
  const open = () => page.getByRole('button', { name: 'Settings of Sales' }).click()
  await open()
  expect(await box.isChecked()).toBe(true)
  await box.uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, 'Settings of Sales saved').waitFor()
  expect(await kept()).toEqual({ wonMakesClient: false })
  await open()
  expect(await box.isChecked()).toBe(false)
  await box.check()
  await page.getByRole('button', { name: 'Save' }).click()
  await eventually(kept).toEqual({ wonMakesClient: true })
})
