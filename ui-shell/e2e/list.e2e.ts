import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { eventually, isFocused, toast, uniqueName, visit } from './browser.ts'
import type { Api, Stored } from './browser.ts'

/** Three accounts of a made-up group, named so that only this test finds them. */
async function group(api: Api): Promise<{ name: string; accounts: readonly Stored[] }> {
  const name = uniqueName('Group')
  const accounts: Stored[] = []
  for (const [city, employees] of [
    ['Lyon', 10],
    ['Nantes', 20],
    ['Lille', 30],
  ] as const) {
    accounts.push(await api.create('/api/core/accounts', { name: `${name} ${city}`, city, employees }))
  }
  return { name, accounts }
}

function addressOf(name: string, further: Readonly<Record<string, string>> = {}): string {
  return `/accounts?${new URLSearchParams({ filter: `name ~ "${name}"`, sort: 'name', ...further })}`
}

const grid = (page: Page): Locator => page.getByRole('grid', { name: 'Accounts' })

async function titles(page: Page): Promise<string[]> {
  return (await grid(page).getByRole('rowheader').allInnerTexts()).map((it) => it.trim())
}

/** From anywhere on the page onto the first row, by the keyboard. */
async function enterRows(page: Page): Promise<Locator> {
  const first = grid(page).getByRole('row').nth(1)
  await first.waitFor()
  await page.keyboard.press('j')
  await eventually(() => isFocused(first)).toBe(true)
  return first
}

test('the text form filters, a head sorts, and the address alone shows the same rows in another tab', async () => {
  await using claire = await visit('/accounts')
  const { page } = claire
  const { name } = await group(claire.api)
  await page.goto(addressOf(name))
  await eventually(() => titles(page)).toEqual([`${name} Lille`, `${name} Lyon`, `${name} Nantes`])

  await page.getByRole('button', { name: 'Write the filter as text' }).click()
  const text = page.getByRole('textbox', { name: 'Filter as text' })
  expect(await text.inputValue()).toBe(`name ~ "${name}"`)
  await text.fill(`name ~ "${name}" and employees >= 20`)
  await page.getByRole('button', { name: 'Apply' }).click()
  await eventually(() => titles(page)).toEqual([`${name} Lille`, `${name} Nantes`])
  await page.getByRole('button', { name: 'Employees is at least 20', exact: true }).waitFor()

  const head = page.getByRole('columnheader', { name: 'Name' })
  await head.getByRole('button').click()
  await eventually(() => titles(page)).toEqual([`${name} Nantes`, `${name} Lille`])
  await eventually(() => head.getAttribute('aria-sort')).toBe('descending')

  const other = await claire.tab(page.url())
  await eventually(() => titles(other)).toEqual([`${name} Nantes`, `${name} Lille`])
  await other.getByRole('button', { name: 'Employees is at least 20', exact: true }).waitFor()
  await page.goBack()
  await eventually(() => new URL(page.url()).pathname).toBe('/accounts')
})

test('a list is exported with the columns it shows, and all rows when all are chosen', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const name = uniqueName('Carried')
  const create = Array.from({ length: 60 }, (_, at) => ({ name: `${name} ${at}`, city: 'Lyon' }))
  await api.post('/api/core/accounts/bulk', { create })
  await page.goto(addressOf(name, { columns: 'name,city' }))
  await grid(page).getByRole('row').nth(1).waitFor()
  await grid(page).getByRole('checkbox').first().check()
  await page.getByRole('toolbar', { name: 'Selection' }).getByRole('button', { name: 'Export…' }).click()
  await page.getByText('Columns (2)').waitFor()
  expect(await page.getByRole('checkbox', { name: 'City' }).isChecked()).toBe(true)
  const asked = page.waitForRequest((it) => it.method() === 'POST' && it.url().endsWith('/api/core/exports'))
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const { ids, filter, fields } = (await asked).postDataJSON()
  expect({ ids, filter, fields }).toEqual({ ids: undefined, filter: `name ~ "${name}"`, fields: ['name', 'city'] })
})

test('a filter is built by keyboard: field, what it contains, Enter', async () => {
  await using claire = await visit('/accounts')
  const { page } = claire
  const { name } = await group(claire.api)
  await page.goto(addressOf(name))
  await eventually(() => titles(page)).toEqual([`${name} Lille`, `${name} Lyon`, `${name} Nantes`])
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await page.getByRole('searchbox', { name: 'Filter by…' }).fill('city')
  await page
    .getByRole('dialog', { name: 'Change the filter' })
    .getByRole('button', { name: 'City', exact: true })
    .press('Enter')
  await eventually(() => isFocused(page.getByRole('textbox', { name: 'Value' }))).toBe(true)
  await page.keyboard.type('lyon')
  await page.keyboard.press('Enter')
  await eventually(() => titles(page)).toEqual([`${name} Lyon`])
})

test('a filter that cannot be read is explained and can be cleared', async () => {
  await using claire = await visit(`/accounts?${new URLSearchParams({ filter: 'employes >= 20' })}`)
  const { page } = claire
  await page.getByRole('alert').filter({ hasText: 'employes' }).first().waitFor()
  await page.getByRole('button', { name: 'Clear search and filter' }).click()
  await eventually(async () => (await titles(page)).length).toBeGreaterThan(10)
})

test('cells are edited by keyboard: Enter saves, Tab saves and moves, Esc restores, the toast takes it back', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Keyboard'), city: 'Lyon', phone: '' })
  const stored = async (field: string) => (await api.record('/api/core/accounts', account.id))[field]
  await page.goto(addressOf(String(account['name']), { columns: 'name,city,industry' }))
  await enterRows(page)
  await page.keyboard.press('e')
  await page.keyboard.press('ArrowRight')
  const city = grid(page).getByRole('textbox', { name: 'City' })

  await page.keyboard.press('Enter')
  await city.fill('Marseille')
  await page.keyboard.press('Enter')
  await eventually(() => stored('city')).toBe('Marseille')
  await toast(page, 'City changed').getByRole('button', { name: 'Undo' }).click()
  await eventually(() => stored('city')).toBe('Lyon')
  await grid(page).getByRole('gridcell', { name: 'Lyon' }).waitFor()

  // The toast's button took the focus with it.
  await enterRows(page)
  await page.keyboard.press('e')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('F2')
  await city.fill('Rouen')
  await page.keyboard.press('Escape')
  await grid(page).getByRole('gridcell', { name: 'Lyon' }).waitFor()
  expect(await stored('city')).toBe('Lyon')

  await page.keyboard.press('Enter')
  await city.fill('Dijon')
  await page.keyboard.press('Tab')
  const industry = grid(page).getByRole('textbox', { name: 'Industry' })
  await industry.waitFor()
  await eventually(() => stored('city')).toBe('Dijon')
  await industry.fill('Textile')
  await page.keyboard.press('Enter')
  await eventually(() => stored('industry')).toBe('Textile')
})

test('a letter typed on a cell with choices takes the first that begins with it', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Letter') })
  await page.goto(addressOf(String(account['name']), { columns: 'name,lifecycle,city' }))
  await enterRows(page)
  await page.keyboard.press('e')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('p')
  const choices = grid(page).getByRole('combobox', { name: 'Lifecycle' })
  await eventually(() => choices.inputValue()).toBe('prospect')
  // Every account has a place in the lifecycle: no choice empties it.
  expect(await choices.locator('option').allInnerTexts()).not.toContain('None')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Tab')
  await eventually(async () => (await api.record('/api/core/accounts', account.id))['lifecycle']).toBe('prospect')
})

test('a value the server refuses stays in its cell with the reason', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Refused'), siren: '552100554' })
  await page.goto(addressOf(String(account['name']), { columns: 'name,siren' }))
  await enterRows(page)
  await page.keyboard.press('e')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  const siren = grid(page).getByRole('textbox', { name: 'SIREN' })
  await siren.fill('12')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').filter({ hasText: '12' }).first().waitFor()
  expect(await siren.inputValue()).toBe('12')
  expect((await api.record('/api/core/accounts', account.id))['siren']).toBe('552100554')
})

test('c opens a form on the title, Ctrl+Enter creates, and what is missing is named', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  await grid(page).waitFor()
  await page.keyboard.press('c')
  await page.getByRole('complementary', { name: 'New account' }).waitFor()
  const name = page.getByRole('textbox', { name: 'Name', exact: true })
  await eventually(() => isFocused(name)).toBe(true)

  await page.keyboard.press('Control+Enter')
  await page.getByRole('alert').filter({ hasText: 'One thing needs your attention' }).waitFor()

  const title = uniqueName('Created')
  await page.getByRole('link', { name: /^Name:/ }).click()
  await eventually(() => isFocused(name)).toBe(true)
  await name.fill(title)
  await page.keyboard.press('Control+Enter')
  await toast(page, `${title} created.`).waitFor()
  await page.getByRole('complementary', { name: title }).waitFor()
  const found = await api.get<{ data: Stored[] }>(
    `/api/core/accounts?${new URLSearchParams({ filter: `name = "${title}"` })}`,
  )
  expect(found.data.map((it) => it['name'])).toEqual([title])

  await toast(page, `${title} created.`).getByRole('button', { name: 'Undo' }).click()
  await toast(page, 'Undone.').waitFor()
})

test('a draft survives the reload and nothing of it is sent', async () => {
  await using claire = await visit('/accounts?create=1')
  const { page } = claire
  const name = page.getByRole('textbox', { name: 'Name', exact: true })
  const title = uniqueName('Draft')
  await name.fill(title)
  await page.reload()
  await page.getByText('Nothing was sent.').waitFor()
  expect(await name.inputValue()).toBe(title)
  await page.getByRole('button', { name: 'Discard' }).click()
  await eventually(() => name.inputValue()).toBe('')
})

test('Space looks into the panel, brackets step, Esc goes back to the row, and the address reopens it', async () => {
  await using claire = await visit('/accounts')
  const { page } = claire
  const { name } = await group(claire.api)
  await page.goto(addressOf(name))
  await enterRows(page)
  await page.keyboard.press('Space')
  await page.getByRole('complementary', { name: `${name} Lille` }).waitFor()
  await page.getByText('1 of 3', { exact: false }).first().waitFor()
  await page.keyboard.press(']')
  await page.getByRole('complementary', { name: `${name} Lyon` }).waitFor()
  await page.reload()
  const panel = page.getByRole('complementary', { name: `${name} Lyon` })
  await panel.waitFor()
  await panel.getByRole('button', { name: 'Close the panel' }).click()
  await eventually(() => isFocused(grid(page).getByRole('row').nth(2))).toBe(true)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: `${name} Lyon` }).waitFor()
})

test('a row another person changes is changed on screen, too', async () => {
  await using claire = await visit('/accounts')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Live'), city: 'Lyon' })
  await page.goto(addressOf(String(account['name']), { columns: 'name,city' }))
  await grid(page).getByRole('gridcell', { name: 'Lyon' }).waitFor()
  await camille.api.patch(`/api/core/accounts/${account.id}`, { city: 'Brest', version: account.version })
  await grid(page).getByRole('gridcell', { name: 'Brest' }).waitFor()
})

test('a list says of a record why it is in it or not: each condition, with the value it met', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const { name, accounts } = await group(api)
  const boss = await api.create('/api/core/accounts', { name: `${name} Holding`, city: 'Paris' })
  await api.patch(`/api/core/accounts/${accounts[0]!.id}`, { version: 1, parent: boss.id })
  const filter = `name ~ "${name}" and (employees >= 20 or parent.city != "Paris")`
  await page.goto(`/accounts?${new URLSearchParams({ filter })}`)
  await grid(page).getByRole('row').nth(1).waitFor()
  await page.getByRole('button', { name: 'Why is a record here, or not?' }).press('Enter')
  await page.getByRole('dialog', { name: 'Why is a record here, or not?' }).waitFor()
  const pick = page.getByRole('combobox', { name: 'Account' })
  await eventually(() => isFocused(pick)).toBe(true)
  await page.keyboard.type(`${name} Lyon`)
  await page.getByRole('option', { name: `${name} Lyon` }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByText('Not in this list').waitFor()
  const line = (text: string) => page.getByRole('listitem').filter({ hasText: text }).last()
  await line('Employees is at least 20').filter({ hasText: 'not met' }).filter({ hasText: 'Here: 10' }).waitFor()
  await line('Parent account › City').filter({ hasText: 'not met' }).filter({ hasText: 'Here: Paris' }).waitFor()
  expect(await line('Name contains').innerText()).not.toContain('not met')

  await pick.fill(`${name} Lille`)
  await page.getByRole('option', { name: `${name} Lille` }).click()
  await page.getByText('In this list', { exact: true }).waitFor()
  await line('Employees is at least 20').filter({ hasText: 'Here: 30' }).waitFor()
})

test('what is typed into a filter is kept when the editor is left by a click, and dropped by Esc alone', async () => {
  await using claire = await visit('/accounts')
  const { page } = claire
  const { name } = await group(claire.api)
  await page.goto(addressOf(name))
  await eventually(() => titles(page)).toEqual([`${name} Lille`, `${name} Lyon`, `${name} Nantes`])
  const startCity = async () => {
    await page.getByRole('button', { name: 'Filter', exact: true }).click()
    await page.getByRole('searchbox', { name: 'Filter by…' }).fill('city')
    await page
      .getByRole('dialog', { name: 'Change the filter' })
      .getByRole('button', { name: 'City', exact: true })
      .press('Enter')
    const value = page.getByRole('textbox', { name: 'Value' })
    await eventually(() => isFocused(value)).toBe(true)
    return value
  }
  const value = await startCity()
  await page.keyboard.type('lyon', { delay: 0 })
  await page.keyboard.press('Escape')
  await value.waitFor({ state: 'hidden' })
  // Longer than typing waits before it acts.
  await page.waitForTimeout(400)
  expect(await page.getByRole('button', { name: /^City contains/ }).count()).toBe(0)

  await startCity()
  await page.keyboard.type('lyon', { delay: 0 })
  await page.mouse.click(700, 700)
  await eventually(() => titles(page)).toEqual([`${name} Lyon`])

  // Esc also takes back what had acted by then.
  await page.getByRole('button', { name: /^City contains/ }).click()
  await page.getByRole('textbox', { name: 'Value' }).fill('nan')
  await eventually(() => titles(page)).toEqual([`${name} Nantes`])
  await page.keyboard.press('Escape')
  await eventually(() => titles(page)).toEqual([`${name} Lyon`])
})
