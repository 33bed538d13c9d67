import { expect, test } from 'vitest'
import { eventually, isFocused, toast, uniqueName, visit } from './browser.ts'

test('two accounts become one by keyboard, with a chosen town, and Undo brings both back', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const name = uniqueName('Twin')
  const make = (values: object) => api.create('/api/core/accounts', { allowDuplicate: true, ...values })
  const one = await make({ name: `${name} A`, city: 'Lyon', industry: 'Textile' })
  const two = await make({ name: `${name} B`, city: 'Nantes' })
  await api.create('/api/core/activities', { subject: 'Call back', account: two.id })
  const stored = async (id: string) =>
    (await api.get<{ data: Record<string, unknown> }>(`/api/core/accounts/${id}`)).data

  await page.goto(`/accounts?${new URLSearchParams({ filter: `name ~ "${name}"`, sort: 'name' })}`)
  const rows = page.getByRole('grid', { name: 'Accounts' })
  for (const at of [1, 2]) await rows.getByRole('row').nth(at).getByRole('checkbox').click()
  await page.getByRole('button', { name: 'Merge', exact: true }).click()

  const stays = page.getByRole('radiogroup', { name: 'Record that stays' })
  await eventually(() => stays.getByRole('radio', { name: `${name} A` }).isChecked()).toBe(true)
  await page.getByText('1 activity').waitFor()
  const town = page.getByRole('radiogroup', { name: 'City' })
  await town.getByRole('radio', { name: `Lyon, from ${name} A` }).focus()
  await page.keyboard.press('ArrowRight')
  const nantes = town.getByRole('radio', { name: `Nantes, from ${name} B` })
  await eventually(() => isFocused(nantes)).toBe(true)
  expect(await nantes.isChecked()).toBe(true)
  await page.getByRole('button', { name: `Merge into ${name} A` }).press('Enter')

  await page.getByRole('heading', { level: 1, name: `${name} A` }).waitFor()
  await eventually(() => new URL(page.url()).pathname).toBe(`/accounts/${one.id}`)
  expect(await stored(one.id)).toMatchObject({ city: 'Nantes', industry: 'Textile' })

  // The address of the one that ended leads to the one that stayed.
  const other = await claire.tab(`/accounts/${two.id}`)
  await eventually(() => new URL(other.url()).pathname).toBe(`/accounts/${one.id}`)

  await toast(page, `2 records merged into ${name} A`).getByRole('button', { name: 'Undo' }).click()
  await toast(page, 'Merge undone: one record is back, with one attached record.').waitFor()
  expect(await stored(one.id)).toMatchObject({ id: one.id, city: 'Lyon' })
  expect(await stored(two.id)).toMatchObject({ id: two.id, city: 'Nantes', deletedAt: null })
})

test('a likely twin is shown before it is created, and is found by the search for duplicates', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const name = uniqueName('Chocolaterie')
  const known = await api.create('/api/core/accounts', { name, phone: '01 42 68 53 77' })
  const asked: unknown[] = []
  page.on('request', (it) => {
    if (new URL(it.url()).pathname === '/api/core/accounts/duplicates' && it.method() === 'POST')
      asked.push(it.postDataJSON())
  })
  await page.goto('/accounts?create=1')
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name.toUpperCase())
  await page.getByText('This may exist already').waitFor()
  expect(asked.map((it) => Object.keys(it as object))).not.toContainEqual([])
  await page.keyboard.press('Control+Enter')
  await page.getByRole('alertdialog', { name: 'Does this account exist already?' }).waitFor()
  await eventually(() => isFocused(page.getByRole('button', { name: 'Cancel' }).last())).toBe(true)
  await page.getByRole('button', { name: 'Create anyway' }).click()
  await toast(page, 'created.').waitFor()

  await page.goto(`/accounts/${known.id}`)
  await page.getByRole('link', { name: /^Compare with/ }).waitFor()
  await page.goto('/accounts/duplicates')
  await page.getByRole('button', { name: 'Search now' }).click()
  const pair = page.getByRole('article').filter({ hasText: name }).first()
  await pair.getByRole('button', { name: 'Not the same' }).click()
  await toast(page, 'Kept as two different records.').waitFor()
  await eventually(() => page.getByRole('article').filter({ hasText: name }).count()).toBe(0)
})
