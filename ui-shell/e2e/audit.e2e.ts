import { expect, test } from 'vitest'
import { eventually, settled, uniqueName, visit } from './browser.ts'

test('a change of a hundred records asks for the titles of what they point at when it is opened, and all at once', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const name = uniqueName('Audited')
  const create = Array.from({ length: 60 }, (_, at) => ({ name: `${name} ${at}`, code: `${name} ${at}` }))
  const { data } = await api.post<{ data: { id: string }[] }>('/api/core/accounts/bulk', { create })
  const contacts = data.map(({ id }, at) => ({ lastName: `${name} ${at}`, account: id, allowDuplicate: true }))
  await api.post('/api/core/contacts/bulk', { create: contacts })
  const asked: string[] = []
  page.on('request', (it) => void (/\/api\/core\/accounts\b/.test(it.url()) && asked.push(it.url())))
  await page.goto('/settings/audit')
  await page.getByRole('combobox', { name: 'From' }).waitFor()
  await settled(page)
  expect(asked).toEqual([])

  await page.getByRole('listitem').filter({ hasText: 'changed 60 records' }).first().locator('summary').click()
  const accounts = page.getByRole('definition').filter({ hasText: name })
  await eventually(() => accounts.count()).toBeGreaterThan(100)
  expect(asked.length).toBeLessThanOrEqual(3)
})

test('what a module did after an event is told in words', async () => {
  for (const [as, words] of [
    ['claire', 'after opportunity won'],
    ['camille', 'après opportunité gagnée'],
  ] as const) {
    await using reader = await visit('/accounts', { as })
    const { page, api } = reader
    const query = new URLSearchParams({ filter: 'name = "Logis de l’Étoile"' })
    const { data } = await api.get<{ data: { id: string }[] }>(`/api/core/accounts?${query}`)
    await page.goto(`/accounts/${data[0]!.id}/history`)
    await page.getByText(words).first().waitFor()
  }
})

test('on a phone the list of settings is folded above its page, and folds again when one is chosen', async () => {
  await using claire = await visit('/settings/roles', { size: { width: 390, height: 844 } })
  const { page } = claire
  const list = page.getByRole('navigation', { name: 'Settings' })
  const teams = list.getByRole('link', { name: 'Teams' })
  await list.getByText('Settings: Roles').waitFor()
  expect(await teams.isVisible()).toBe(false)
  await list.getByText('Settings: Roles').click()
  await teams.click()
  await list.getByText('Settings: Teams').waitFor()
  expect(await teams.isVisible()).toBe(false)
})

test('the list of shortcuts names each key once, as keyboards of the reader call it', async () => {
  await using camille = await visit('/accounts', { as: 'camille' })
  const { page } = camille
  await page.getByRole('grid', { name: 'Comptes' }).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Raccourcis clavier' }).waitFor()
  const keys = (await page.locator('shell-shortcuts').getByRole('definition').allInnerTexts()).map((it) =>
    it.replaceAll(/\s+/g, ' ').trim(),
  )
  expect(keys).toContain('Espace')
  expect(keys.filter((it) => /Space|Enter|Escape|^Esc$/.test(it))).toEqual([])
  expect(keys.toSorted()).toEqual([...new Set(keys)].toSorted())
  expect(keys.filter((it) => it === 'J' || it === '[')).toEqual([])
})
