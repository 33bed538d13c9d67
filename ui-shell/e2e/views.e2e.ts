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

test('on a phone the saved views are one choice', async () => {
  await using claire = await visit('/products', { size: { width: 390, height: 844 } })
  const { page, api } = claire
  const views = []
  for (const word of ['First', 'Second', 'Third'])
    views.push(
      await api.create('/api/core/views', { resource: 'core.product', name: uniqueName(word), filter: 'name ~ "a"' }),
    )
  await page.reload()
  const chooser = page.getByRole('combobox', { name: 'Saved views' })
  await chooser.selectOption({ label: String(views[1]?.['name']) })
  await eventually(() => parameter(page, 'view')).toBe(views[1]?.id)
  await page.goBack()
  await eventually(() => chooser.evaluate((it) => (it as HTMLSelectElement).selectedOptions[0]?.text)).toBe(
    'All products',
  )
  for (const view of views) await api.delete(`/api/core/views/${view.id}?version=${view.version}`)
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

test('what is typed before the palette is there is looked for in it, and is no shortcut meanwhile', async () => {
  await using claire = await visit('/accounts')
  const { page } = claire
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  await page.route(/shell-palette-.*\.js$/, async (route) => {
    await held
    await route.continue()
  })
  const asked = page.waitForRequest(/shell-palette-.*\.js$/)
  await page.keyboard.press('Control+k')
  await asked
  // `c` alone would begin a new account.
  await page.keyboard.type('cont')
  release()
  await eventually(() => page.getByRole('combobox', { name: 'Find or do anything' }).inputValue()).toBe('cont')
  await page.keyboard.type('acts')
  await page
    .getByRole('option', { name: /^Contacts/ })
    .first()
    .waitFor()
  expect(new URL(page.url()).search).toBe('')
})

test('the palette forgives a slip of the finger', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Quincaillerie') })
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill(String(account['name']).replace('Quincaillerie', 'Quincailelrie'))
  await page.getByRole('option', { name: String(account['name']) }).waitFor()
})

test('a view keeps what its cards show, what its columns add up, and how high its rows are', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const name = await group(api)
  const filter = `name ~ "${name}"`
  const { data } = await api.get<{ data: Stored[] }>(`/api/core/accounts?${new URLSearchParams({ filter })}`)
  for (const { id } of data)
    await api.patch(`/api/core/accounts/${id}`, { version: 1, employees: 7, industry: 'Textile' })
  await page.goto(`/accounts?${new URLSearchParams({ view: 'kanban', by: 'owner', filter })}`)
  const lane = page.getByRole('region', { name: /^Claire Martin, 2 cards/ })
  await lane.getByText('Textile').first().waitFor()
  await page.getByRole('button', { name: 'Card', exact: true }).click()
  await page.getByRole('dialog', { name: 'Card' }).waitFor()
  await page.getByRole('checkbox', { name: 'Employees' }).check()
  await page.getByRole('checkbox', { name: 'Industry' }).uncheck()
  await page.getByRole('combobox', { name: 'Sum in the heads' }).selectOption({ label: 'Employees' })
  await page.getByRole('region', { name: /^Claire Martin, 2 cards, 14/ }).waitFor()
  await eventually(async () => (await lane.innerText()).includes('Textile')).toBe(false)
  await page.keyboard.press('Escape')

  const kept = uniqueName('Cards')
  await page.getByRole('button', { name: 'Save view…' }).click()
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(kept)
  await page.keyboard.press('Enter')
  await toast(page, kept).waitFor()
  const shown = await api.get<{ views: Stored[] }>('/api/core/shell')
  const view = shown.views.find((it) => it['name'] === kept)!
  expect(view['card']).toContain('employees')
  expect(view['card']).not.toContain('industry')
  expect(view['sums']).toEqual(['employees'])
  const other = await claire.tab(`/accounts?view=${view.id}`)
  await other.getByRole('region', { name: /^Claire Martin, 2 cards, 14/ }).waitFor()

  await page.goto(`/accounts?${new URLSearchParams({ filter })}`)
  const row = grid(page).getByRole('row').nth(1)
  await row.waitFor()
  const height = async () => (await row.boundingBox())?.height
  const before = await height()
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('combobox', { name: 'Row height' }).selectOption({ label: 'Compact' })
  await eventually(height).toBeLessThan(before!)
  expect(parameter(page, 'density')).toBe('compact')
})

test('the palette looks in one kind only: chosen by its name and left again, by keyboard alone', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const name = uniqueName('Tilleul')
  const account = await api.create('/api/core/accounts', { name: `${name} SARL` })
  await api.create('/api/core/contacts', { firstName: 'Ada', lastName: name, account: account.id })
  await page.keyboard.press('Control+k')
  const box = page.getByRole('combobox')
  const options = page.getByRole('listbox', { name: 'Results' }).getByRole('option')
  await box.fill(name)
  await options.filter({ hasText: 'SARL' }).first().waitFor()
  await options
    .filter({ hasText: `Ada ${name}` })
    .first()
    .waitFor()

  await box.fill('accoun')
  await options.filter({ hasText: 'Only Accounts' }).waitFor()
  while ((await page.getByRole('option', { selected: true }).innerText()).trim().split('\n')[0] !== 'Only Accounts')
    await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  const kind = page.getByRole('button', { name: 'Look in Accounts no longer only' })
  await kind.waitFor()
  expect(await box.inputValue()).toBe('')
  await page.keyboard.type(name)
  await options.filter({ hasText: 'SARL' }).first().waitFor()
  await eventually(() => options.filter({ hasText: `Ada ${name}` }).count()).toBe(0)

  await box.fill('')
  await page.keyboard.press('Backspace')
  await kind.waitFor({ state: 'detached' })
  await page.keyboard.type(name)
  await options
    .filter({ hasText: `Ada ${name}` })
    .first()
    .waitFor()
})

test('a date of one’s own is no calendar’s until a view chooses it', async () => {
  await using claire = await visit('/products')
  const { page, api } = claire
  const suffix = String(Date.now())
  const label = `Launch ${suffix}`
  const { data: field } = await api.post<{ data: Stored }>('/api/core/fields', {
    ...{ resource: 'core.product', name: `launch${suffix}`, type: 'date', labelEn: label, labelFr: label },
  })
  await page.goto('/products?view=calendar')
  const by = page.getByRole('combobox', { name: 'Date', exact: true })
  await by.waitFor()
  const chosen = () => by.evaluate((it) => (it as HTMLSelectElement).selectedOptions[0]?.textContent?.trim())
  expect(await chosen()).toBe('Created')
  await by.selectOption({ label })
  await eventually(() => parameter(page, 'start')).toBe(`launch${suffix}`)
  const name = uniqueName('Launches')
  await page.getByRole('button', { name: 'Save view…' }).click()
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
  await page.keyboard.press('Enter')
  await toast(page, name).waitFor()
  await page.reload()
  await eventually(chosen).toBe(label)
  await api.patch(`/api/core/fields/${field.id}`, { version: field.version, archived: true })
})

test('a view shared as what a role starts with opens first for its holders, until they choose another', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const name = uniqueName('Starting')
  const { data: role } = await api.post<{ data: Stored }>('/api/core/roles', { name, grants: [], fields: [] })
  const { data: users } = await api.get<{ data: Stored[] }>('/api/core/users?limit=200')
  const camilleId = users.find((it) => it['name'] === 'Camille Roussel')!.id
  const { data: access } = await api.get<{ data: { roles: Stored[] } }>(`/api/core/users/${camilleId}/access`)
  const before = access.roles.map(({ id }) => id)
  const give = (roles: readonly string[]) =>
    claire.context.request.put(`/api/core/users/${camilleId}/roles`, {
      data: { roles },
      headers: { origin: new URL(page.url()).origin },
    })
  expect((await give([...before, role.id])).status()).toBe(200)
  try {
    await page.goto(`/orders?${new URLSearchParams({ filter: 'number ~ "0"' })}`)
    await page.getByRole('button', { name: 'Save view…' }).click()
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
    await page.getByRole('radio', { name: /^A role starts with it/ }).check()
    await page.getByRole('combobox', { name: 'Role' }).selectOption({ label: name })
    await page.locator('socle-dialog').getByRole('button', { name: 'Save view' }).click()
    await toast(page, name).waitFor()
    const view = parameter(page, 'view')

    await using camille = await visit('/', { as: 'camille' })
    await camille.page.goto('/orders')
    await eventually(() => parameter(camille.page, 'view')).toBe(view)
    // Whoever does not hold the role starts with the whole list.
    await page.goto('/orders')
    await page.getByRole('grid').waitFor()
    expect(parameter(page, 'view')).toBeNull()
    await api.delete(`/api/core/views/${view}?version=1`)
  } finally {
    await give(before)
  }
})
