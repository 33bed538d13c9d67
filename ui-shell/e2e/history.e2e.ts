import { expect, test } from 'vitest'
import { eventually, toast, uniqueName, visit } from './browser.ts'
import type { Stored } from './browser.ts'

test('a record is seen as it was, to look at only, and its history takes a change back', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Then'), city: 'Lyon' })
  await page.goto(`/accounts/${account.id}/history`)
  const details = page.getByRole('region', { name: 'Details' })
  const city = (value: string) => details.getByRole('definition').filter({ hasText: value })
  await details.getByRole('button', { name: 'Change City' }).click()
  await details.getByRole('textbox', { name: 'City' }).fill('Nantes')
  await page.keyboard.press('Enter')
  const entries = page.getByRole('list', { name: 'History' }).getByRole('listitem')
  await entries.filter({ hasText: 'Nantes' }).first().waitFor()

  await page
    .getByRole('link', { name: /^See as of then/ })
    .last()
    .click()
  const now = page.getByRole('link', { name: 'Back to now' })
  await now.waitFor()
  await city('Lyon').waitFor()
  expect(new URL(page.url()).searchParams.has('asOf')).toBe(true)
  expect(await details.getByRole('button', { name: /^(Change|Fill in)/ }).count()).toBe(0)
  expect(await entries.getByRole('button', { name: 'Undo' }).count()).toBe(0)

  await now.click()
  await city('Nantes').waitFor()
  await entries.getByRole('button', { name: 'Undo' }).first().click()
  await city('Lyon').waitFor()
  expect((await api.record('/api/core/accounts', account.id))['city']).toBe('Lyon')
})

test('a list is seen as it was, by its address, and nothing in it can be changed', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const name = uniqueName('Before')
  const account = await api.create('/api/core/accounts', { name })
  const { data } = await api.get<{ data: { at: string }[] }>(`/api/core/accounts/${account.id}/history`)
  await api.patch(`/api/core/accounts/${account.id}`, { version: 1, city: 'Nantes' })
  const address = new URLSearchParams({ filter: `name = "${name}"`, columns: 'name,city', asOf: data[0]!.at })
  await page.goto(`/accounts?${address}`)
  const row = page.getByRole('row').filter({ hasText: name })
  await row.waitFor()
  expect(await row.innerText()).not.toContain('Nantes')
  expect(await page.getByRole('button', { name: 'New account' }).count()).toBe(0)
  await page.getByRole('button', { name: 'Back to now' }).click()
  await row.filter({ hasText: 'Nantes' }).waitFor()
})

test('all rows found are changed in the background, told of with their counts, and taken back', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const name = uniqueName('Many')
  for (const part of [0, 1]) {
    const create = Array.from({ length: 120 }, (_, at) => ({ name: `${name} ${part * 120 + at}`, city: 'Lyon' }))
    await api.post('/api/core/accounts/bulk', { create })
  }
  const inCity = async (city: string) => {
    const filter = `name ~ "${name}" and city = "${city}"`
    const found = await api.get<{ data: Stored[]; page: { count: number } }>(
      `/api/core/accounts?${new URLSearchParams({ filter, count: 'exact', limit: '1' })}`,
    )
    return found.page.count
  }
  await page.goto(`/accounts?${new URLSearchParams({ filter: `name ~ "${name}"` })}`)
  await page.getByRole('row').filter({ hasText: name }).first().waitFor()
  await page.getByRole('grid').getByRole('checkbox').first().check()
  await page.getByRole('button', { name: 'Set a field in all 240' }).click()
  await page.getByRole('combobox', { name: 'Field' }).selectOption({ label: 'City' })
  await page.getByRole('textbox', { name: 'City' }).fill('Brest')
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.getByRole('list', { name: 'The first 20 of 240' }).getByText('Brest').first().waitFor()
  expect(await inCity('Brest')).toBe(0)
  await page.getByRole('button', { name: 'Change 240 records' }).click()
  await page.getByText('240 records done').waitFor()
  expect(await inCity('Brest')).toBe(240)

  await page.getByRole('button', { name: 'Undo', exact: true }).click()
  await toast(page, '240 changes undone').waitFor()
  await eventually(() => inCity('Lyon')).toBe(240)
})

test('who loads the page again during a change in the background is told of its end, and may take it back', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const name = uniqueName('Reloaded')
  for (const part of [0, 1]) {
    const create = Array.from({ length: 120 }, (_, at) => ({ name: `${name} ${part * 120 + at}`, city: 'Lyon' }))
    await api.post('/api/core/accounts/bulk', { create })
  }
  await page.goto(`/accounts?${new URLSearchParams({ filter: `name ~ "${name}"` })}`)
  await page.getByRole('row').filter({ hasText: name }).first().waitFor()
  await page.getByRole('grid').getByRole('checkbox').first().check()
  await page.getByRole('button', { name: 'Set a field in all 240' }).click()
  await page.getByRole('combobox', { name: 'Field' }).selectOption({ label: 'City' })
  await page.getByRole('textbox', { name: 'City' }).fill('Brest')
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.getByRole('button', { name: 'Change 240 records' }).click()
  await page.waitForFunction(() => sessionStorage['runs'] !== undefined)
  await page.reload()
  await toast(page, '240 records changed').getByRole('button', { name: 'Undo' }).click()
  await toast(page, '240 changes undone').waitFor()
  await page.waitForFunction(() => sessionStorage['runs'] === undefined)
})

test('what an undo leaves alone is named, record by record and field by field', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Partly'), city: 'Lyon', industry: 'Silk' })
  const stored = () => api.record('/api/core/accounts', account.id)
  await page.goto(`/accounts/${account.id}/history`)
  const details = page.getByRole('region', { name: 'Details' })
  await api.patch(`/api/core/accounts/${account.id}`, { version: 1, city: 'Nantes', industry: 'Steel' })
  const entries = page.getByRole('list', { name: 'History' }).getByRole('listitem')
  await entries.filter({ hasText: 'Nantes' }).first().waitFor()
  await camille.api.patch(`/api/core/accounts/${account.id}`, { version: 2, city: 'Brest' })
  await details.getByRole('definition').filter({ hasText: 'Brest' }).waitFor()
  // Its own entry pushes the others down: who presses before it came may press another one's button.
  await entries.filter({ hasText: 'Brest' }).first().waitFor()

  await entries.filter({ hasText: 'Steel' }).getByRole('button', { name: 'Undo' }).first().click()
  await toast(page, 'Undone, except one field changed since.').getByRole('button', { name: 'Show which' }).click()
  await page.getByRole('dialog', { name: 'What was left alone' }).waitFor()
  const line = page.getByRole('listitem').filter({ hasText: 'Changed since and kept: City' })
  await line.getByRole('link', { name: String(account['name']) }).waitFor()
  expect(await stored()).toMatchObject({ city: 'Brest', industry: 'Silk' })
})

test('rows that a change in the background could not make are named with the reason and tried again', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const name = uniqueName('Halfway')
  const suffix = String(Date.now())
  const permit = { resource: 'core.account', name: `halfway${suffix}`, type: 'text', labelEn: `Halfway ${suffix}` }
  const { data: field } = await api.post<{ data: Stored }>('/api/core/fields', {
    ...permit,
    labelFr: permit.labelEn,
    requiredIf: `industry = "${name}" and city = "Brest"`,
  })
  for (const part of [0, 1]) {
    const create = Array.from({ length: 110 }, (_, at) => ({
      name: `${name} ${part * 110 + at}`,
      city: part === 0 && at < 3 ? 'Brest' : 'Lyon',
    }))
    await api.post('/api/core/accounts/bulk', { create })
  }
  const changed = async () => {
    const filter = `industry = "${name}"`
    const found = await api.get<{ page: { count: number } }>(
      `/api/core/accounts?${new URLSearchParams({ filter, count: 'exact', limit: '1' })}`,
    )
    return found.page.count
  }
  await page.goto(`/accounts?${new URLSearchParams({ filter: `name ~ "${name}"` })}`)
  await page.getByRole('row').filter({ hasText: name }).first().waitFor()
  await page.getByRole('grid').getByRole('checkbox').first().check()
  await page.getByRole('button', { name: 'Set a field in all 220' }).click()
  await page.getByRole('combobox', { name: 'Field' }).selectOption({ label: 'Industry' })
  await page.getByRole('textbox', { name: 'Industry' }).fill(name)
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.getByRole('button', { name: 'Change 220 records' }).click()
  await page.getByText('217 records done').waitFor()
  const refused = page.getByRole('list', { name: '3 records were refused:' }).getByRole('listitem')
  await eventually(() => refused.count()).toBe(3)
  for (const told of await refused.allInnerTexts()) expect(told).toContain(suffix)
  expect(await changed()).toBe(217)

  await api.patch(`/api/core/fields/${field.id}`, { version: field.version, archived: true })
  await page.getByRole('button', { name: 'Try 3 again' }).click()
  await eventually(changed).toBe(220)
  await page.getByText('220 records done').waitFor()
})

test('a long history is read further down to the first change, and what was read stays when a new one comes', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Long'), employees: 0 })
  const employ = (version: number) => api.patch(`/api/core/accounts/${account.id}`, { version, employees: version })
  for (let version = 1; version <= 55; version += 1) await employ(version)
  await page.goto(`/accounts/${account.id}/history`)
  const entries = page.getByRole('list', { name: 'History' }).locator('> li')
  await eventually(() => entries.count()).toBe(50)
  const more = page.getByRole('button', { name: 'Show more' })
  await more.click()
  await eventually(() => entries.count()).toBe(56)
  expect(await more.count()).toBe(0)
  await employ(56)
  await eventually(() => entries.count()).toBe(57)
})
