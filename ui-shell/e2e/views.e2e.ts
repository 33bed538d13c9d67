import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { eventually, isFocused, toast, uniqueName, visit } from './browser.ts'
import type { Api, Stored } from './browser.ts'

const grid = (page: Page): Locator => page.getByRole('grid', { name: 'Accounts' })
const titles = async (page: Page): Promise<string[]> =>
  (await grid(page).getByRole('rowheader').allInnerTexts()).map((it) => it.trim())
const parameter = (page: Page, name: string) => new URL(page.url()).searchParams.get(name)

async function group(api: Api): Promise<string> {
  const name = uniqueName('Views')
  for (const city of ['Lyon', 'Nantes']) await api.create('/api/core/accounts', { name: `${name} ${city}`, city })
  return name
}

test('a view is saved, reopened by its address alone, and says what was changed on it', async () => {
  await using claire = await visit('/accounts')
  const { page } = claire
  const name = await group(claire.api)
  await page.goto(`/accounts?${new URLSearchParams({ filter: `name ~ "${name}"`, sort: '-name' })}`)
  await eventually(() => titles(page)).toEqual([`${name} Nantes`, `${name} Lyon`])

  await page.getByRole('button', { name: 'Save view…' }).click()
  await page.getByRole('dialog', { name: 'Save view' }).waitFor()
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
  await page.keyboard.press('Enter')
  const tab = page.getByRole('navigation', { name: 'Saved views' }).getByRole('link', { name, exact: true })
  await eventually(() => tab.getAttribute('aria-current')).toBe('page')
  expect(parameter(page, 'filter')).toBeNull()

  const other = await claire.tab(page.url())
  await eventually(() => titles(other)).toEqual([`${name} Nantes`, `${name} Lyon`])

  await grid(page).getByRole('columnheader', { name: 'Name' }).getByRole('button').click()
  await eventually(() => titles(page)).toEqual([`${name} Lyon`, `${name} Nantes`])
  expect(parameter(page, 'sort')).toBe('')
})

test('a view one starts with opens by itself, stands in the sidebar, and the whole list stays within reach', async () => {
  await using claire = await visit('/products')
  const { page, api } = claire
  const name = uniqueName('Start')
  const view = await api.create('/api/core/views', { resource: 'core.product', name, filter: 'name ~ "a"' })
  await page.goto(`/products?view=${view.id}`)
  for (const choice of ['Start with this view', 'Keep in the sidebar']) {
    await page.getByRole('button', { name: 'View actions' }).click()
    await page.getByRole('menuitem', { name: choice }).click()
    await page.getByRole('menuitem', { name: choice }).waitFor({ state: 'hidden' })
  }
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).waitFor()
  await page.goto('/products')
  await eventually(() => parameter(page, 'view')).toBe(view.id)
  await page.getByRole('link', { name: 'All products' }).click()
  await eventually(() => parameter(page, 'view')).toBe('table')
  await page.reload()
  await page.getByRole('grid').waitFor()
  expect(parameter(page, 'view')).toBe('table')
  await api.delete(`/api/core/views/${view.id}?version=${view.version}`)
})

test('accounts stand on a board by whom they belong to, and a card goes to another person by keyboard', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const name = await group(api)
  const account = (await api.get<{ data: Stored[] }>(`/api/core/accounts?q=${encodeURIComponent(`${name} Lyon`)}`))
    .data[0]!
  const camille = (await api.get<{ data: Stored[] }>('/api/core/users?q=Camille')).data[0]!
  const other = await api.create('/api/core/accounts', { name: `${name} Brest`, owner: camille.id })
  await page.goto(`/accounts?${new URLSearchParams({ view: 'kanban', by: 'owner', filter: `name ~ "${name}"` })}`)
  const card = page.getByRole('listitem').filter({ hasText: `${name} Lyon` })
  await card.waitFor()
  await page
    .getByRole('listitem')
    .filter({ hasText: String(other['name']) })
    .waitFor()
  const columns = await page
    .getByRole('list')
    .filter({ has: page.getByRole('listitem') })
    .allInnerTexts()
  const from = columns.findIndex((it) => it.includes(`${name} Lyon`))
  const to = columns.findIndex((it) => it.includes(`${name} Brest`))
  await card.focus()
  await page.keyboard.press('Space')
  await page.keyboard.press(to > from ? 'ArrowRight' : 'ArrowLeft')
  await page.keyboard.press('Enter')
  await eventually(async () => (await api.record('/api/core/accounts', account.id))['owner']).toBe(camille.id)
})

test('an activity is moved to another day in the calendar, by mouse and by keyboard', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const subject = uniqueName('Visit')
  const activity = await api.create('/api/core/activities', {
    type: 'meeting',
    subject,
    startAt: '2031-06-10T08:00:00Z',
    endAt: '2031-06-10T09:00:00Z',
  })
  const stored = async () => {
    const { startAt, endAt } = await api.record('/api/core/activities', activity.id)
    return [startAt, endAt]
  }
  await page.goto(
    `/activities?${new URLSearchParams({ view: 'calendar', date: '2031-06-01', filter: `subject = "${subject}"` })}`,
  )
  const event = page.locator('[data-event]').filter({ hasText: subject })
  await event.waitFor()
  const box = (await event.boundingBox())!
  await page.mouse.move(box.x + 20, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + 20 + box.width, box.y + box.height / 2, { steps: 8 })
  await page.mouse.move(box.x + 20 + box.width + 4, box.y + box.height / 2)
  await page.mouse.up()
  await eventually(stored).toEqual(['2031-06-11T08:00:00.000Z', '2031-06-11T09:00:00.000Z'])

  await event.focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Enter')
  await eventually(stored).toEqual(['2031-06-17T08:00:00.000Z', '2031-06-17T09:00:00.000Z'])
  await eventually(() => isFocused(event)).toBe(true)

  const writes: string[] = []
  page.on('request', (it) => void (it.method() === 'PATCH' && writes.push(it.url())))
  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Escape')
  // A move that was not given up would be under way before the next screen is asked for.
  await page.getByRole('button', { name: 'Week', exact: true }).click()
  await eventually(() => parameter(page, 'span')).toBe('week')
  expect(writes).toEqual([])
  expect(await stored()).toEqual(['2031-06-17T08:00:00.000Z', '2031-06-17T09:00:00.000Z'])
})

test('what was deleted waits in the bin, with who and when, and comes back', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Binned') })
  await api.delete(`/api/core/accounts/${account.id}?version=1`)
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Bin' }).click()
  const row = page.getByRole('row').filter({ hasText: String(account['name']) })
  await row.getByText('Claire Martin').first().waitFor()
  await row.getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Restore' }).click()
  await toast(page, '1 record restored.').waitFor()
  expect((await api.record('/api/core/accounts', account.id))['deletedAt']).toBeNull()
  await page.getByRole('button', { name: 'Undo', exact: true }).click()
  await row.waitFor()
})

test('several come back from the bin together', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const name = uniqueName('Binned')
  const made = [
    await api.create('/api/core/accounts', { name: `${name} one` }),
    await api.create('/api/core/accounts', { name: `${name} two` }),
  ]
  for (const { id } of made) await api.delete(`/api/core/accounts/${id}?version=1`)
  await page.goto('/accounts/bin')
  const rows = page.getByRole('row').filter({ hasText: name })
  await eventually(() => rows.count()).toBe(2)
  for (const row of await rows.all()) await row.getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Restore' }).click()
  await toast(page, '2 records restored.').waitFor()
  await eventually(() => rows.count()).toBe(0)
  for (const { id } of made) expect((await api.record('/api/core/accounts', id))['deletedAt']).toBeNull()
})

test('the palette forgives a slip of the finger', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Quincaillerie') })
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill(String(account['name']).replace('Quincaillerie', 'Quincailelrie'))
  await page.getByRole('option', { name: String(account['name']) }).waitFor()
})
