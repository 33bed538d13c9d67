import { expect, test } from 'vitest'
import { eventually, toast, uniqueName, visit } from './browser.ts'

test('a record is shared from its page, everybody who sees it is told with the reason, and the share ends', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Shared') })
  await page.goto(`/accounts/${account.id}/access`)
  await page.getByText('Shared with nobody yet.').waitFor()
  await page.getByRole('button', { name: 'Share', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Share this record' })
  await dialog.waitFor()
  await page.getByRole('combobox', { name: 'Person' }).fill('Camille')
  await page.getByRole('option', { name: /Camille/ }).click()
  await page.getByLabel('Last day').fill('2020-01-01')
  await page.getByRole('button', { name: 'Share', exact: true }).last().click()
  await page
    .getByRole('alert')
    .getByText(/is over/)
    .waitFor()
  await page.getByLabel('Last day').fill('')
  await page.getByLabel('Reason').fill('Stands in for me')
  await page.getByRole('button', { name: 'Share', exact: true }).last().click()
  await toast(page, 'The record is shared.').waitFor()
  await page.getByText('Stands in for me').waitFor()
  await page.getByText('Shared by Claire Martin, for good').waitFor()

  const readers = page.getByRole('region', { name: 'Who sees this and why' })
  await readers.getByText('Claire Martin').waitFor()
  await readers.getByText('Role Administrator lets them read all Accounts.').first().waitFor()
  await page.getByRole('button', { name: /^End the share with Camille/ }).click()
  await toast(page, 'No longer shared with Camille').waitFor()
  await page.getByText('Shared with nobody yet.').waitFor()
  const { data } = await api.get<{ data: unknown[] }>(`/api/core/shares/of/core.account/${account.id}`)
  expect(data).toEqual([])
})

test('access is checked in words: who, what, which rule decides', async () => {
  await using camille = await visit('/settings/access')
  const { page, api } = camille
  const account = await api.create('/api/core/accounts', { name: uniqueName('Asked') })
  // An administrator, whoever else other tests have brought in.
  const { data } = await api.get<{ data: { id: string; name: string }[] }>('/api/core/users?sort=name&limit=200')
  const someone = data.find(({ name }) => name === 'Claire Martin')!
  await page.goto(`/settings/access?actor=${someone.id}&resource=core.account&record=${account.id}&action=delete`)
  await page.getByRole('heading', { name: someone.name }).waitFor()
  await page.getByText('Yes', { exact: true }).waitFor()
  await page.getByLabel('Action').selectOption('read')
  await page.getByRole('button', { name: 'Check', exact: true }).click()
  await eventually(() => new URL(page.url()).searchParams.get('action')).toBe('read')
  await page.getByRole('heading', { name: 'What would change it' }).waitFor()
})

test('whoever something is shared with is told at once, and one press opens it', async () => {
  await using guest = await visit('/accounts', { as: 'camille' })
  const { page } = guest
  await using claire = await visit('/accounts')
  const account = await claire.api.create('/api/core/accounts', { name: uniqueName('Told') })
  const { data } = await claire.api.get<{ data: { id: string; name: string }[] }>('/api/core/users?sort=name&limit=200')
  const { id } = data.find(({ name }) => name.startsWith('Camille'))!
  await claire.api.post('/api/core/shares', { resource: 'core.account', records: [account.id], user: id })
  await toast(page, new RegExp(String(account['name']))).waitFor()
  await page.getByRole('button', { name: /^(Open|Ouvrir)$/ }).click()
  await eventually(() => new URL(page.url()).pathname).toBe(`/accounts/${account.id}`)
})

test('a page that says no leads who may look into rights to what decides', async () => {
  await using claire = await visit('/accounts/0193d1a2-0000-7000-8000-00000000dead')
  const { page } = claire
  await page.getByRole('link', { name: 'Why?' }).click()
  await page.getByRole('heading', { name: 'Claire Martin' }).waitFor()
})
