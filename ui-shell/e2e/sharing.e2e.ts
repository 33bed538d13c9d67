import { expect, test } from 'vitest'
import { eventually, toast, uniqueName, visit, visitAsNewcomer, type Stored } from './browser.ts'

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

test('a list of one’s own is shared from its menu, stands before whoever it is for, and the share ends there', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const name = uniqueName('In Lyon')
  const view = await api.create('/api/core/views', { resource: 'core.account', name, filter: 'city = "Lyon"' })
  await page.goto(`/accounts?view=${view.id}`)
  const open = async () => {
    await page.getByRole('button', { name: 'View actions' }).click()
    await page.getByRole('menuitem', { name: 'Share with…' }).click()
  }
  await open()
  await page.getByRole('dialog', { name: `With whom “${name}” is shared` }).waitFor()
  const sharing = page.locator('shell-view-sharing')
  await sharing.getByText('Shared with nobody yet.').waitFor()
  await sharing.getByRole('button', { name: 'Share', exact: true }).click()
  await page.getByRole('dialog', { name: 'Share this view' }).waitFor()
  await page.getByRole('combobox', { name: 'Person' }).fill('Camille')
  await page.getByRole('option', { name: /Camille/ }).click()
  await page.getByRole('button', { name: 'Share', exact: true }).last().click()
  await toast(page, 'The view is shared.').waitFor()
  await sharing.getByText('Shared by Claire Martin, for good').waitFor()

  await using camille = await visit('/accounts', { as: 'camille' })
  const tab = camille.page.getByRole('link', { name, exact: true })
  await tab.click()
  await eventually(() => new URL(camille.page.url()).searchParams.get('view')).toBe(view.id)
  await sharing.getByRole('button', { name: /^End the share with Camille/ }).click()
  await toast(page, 'No longer shared with Camille').waitFor()
  await sharing.getByText('Shared with nobody yet.').waitFor()
  await camille.page.goto('/accounts')
  await camille.page.getByRole('grid').waitFor()
  expect(await tab.count()).toBe(0)
  await api.delete(`/api/core/views/${view.id}?version=${view.version}`)
})

test('an API key and a permission are checked as well', async () => {
  await using claire = await visit('/settings/api-keys')
  const { page, api } = claire
  const role = await api.create('/api/core/roles', {
    name: uniqueName('Robot'),
    grants: [{ resource: 'core.account', action: 'import', visibility: 'all' }],
  })
  const name = uniqueName('Robot')
  const key = await api.create('/api/core/api-keys', { name, role: role.id })
  await page.reload()
  await page.getByRole('button', { name: `Actions for ${name}` }).click()
  await page.getByRole('menuitem', { name: 'Check access' }).click()
  await page.getByRole('heading', { name }).waitFor()
  expect(await page.getByLabel('API key').inputValue()).toBe(key.id)
  await page.getByLabel('Kind of record, or permission').selectOption('core.account')
  await page.getByLabel('Action').selectOption('import')
  await page.getByRole('button', { name: 'Check', exact: true }).click()
  await page.getByText(`Role ${String(role['name'])} lets them import all Accounts.`).waitFor()
  await page.getByLabel('Kind of record, or permission').selectOption('core.plugin.toggle')
  expect(await page.getByLabel('Action').count()).toBe(0)
  await page.getByRole('button', { name: 'Check', exact: true }).click()
  await eventually(() => new URL(page.url()).searchParams.get('action')).toBe('toggle')
  await page.getByText('No', { exact: true }).waitFor()

  await page.goto('/settings/api-keys')
  await page.getByRole('button', { name: `Actions for ${name}` }).click()
  await page.getByRole('menuitem', { name: 'Make a new secret' }).click()
  await page.getByLabel('The old secret goes on working for').selectOption('30')
  await page.getByRole('button', { name: 'Make a new secret' }).last().click()
  await page
    .locator('shell-secret')
    .getByText(/socle_/)
    .waitFor()
  await page.getByRole('button', { name: 'I have copied it' }).click()
  const row = page.getByRole('listitem').filter({ hasText: name })
  await row.getByText(/^The old secret works until .*nobody has used it/).waitFor()
  await page.getByRole('button', { name: `Actions for ${name}` }).click()
  await page.getByRole('menuitem', { name: 'End the old secret' }).click()
  await page.getByRole('button', { name: 'End the old secret' }).last().click()
  await toast(page, `Old secret of “${name}” ended`).waitFor()
  await page.getByRole('button', { name: `Actions for ${name}` }).click()
  await page.getByRole('menuitem', { name: 'Revoke' }).click()
  await page.getByRole('button', { name: 'Revoke' }).last().click()
  await eventually(() => row.count()).toBe(0)
  await page.getByLabel('Show revoked keys too').check()
  await row.getByText('revoked', { exact: true }).waitFor()
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

test('what is shared with me stands on home, behind the list of its kind, and in a list of its own', async () => {
  await using claire = await visit('/accounts')
  const account = await claire.api.create('/api/core/accounts', { name: uniqueName('Lent') })
  const name = String(account['name'])
  const { data } = await claire.api.get<{ data: { id: string; name: string }[] }>('/api/core/users?sort=name&limit=200')
  const user = data.find((it) => it.name.startsWith('Camille'))!.id
  const given = await claire.api.post<{ data: Stored[] }>('/api/core/shares', {
    resource: 'core.account',
    records: [account.id],
    user,
    reason: 'Stands in for me',
  })
  await using camille = await visit('/', { as: 'camille' })
  const { page } = camille
  await page.getByRole('region', { name: 'Partagé avec moi' }).getByRole('link', { name }).waitFor()
  await page.goto('/accounts')
  await page.getByRole('link', { name: 'Partagé avec moi' }).click()
  await eventually(() => new URL(page.url()).pathname).toBe('/accounts/shared')
  await page.getByRole('listitem').filter({ hasText: name }).getByText('Stands in for me').waitFor()
  await claire.api.delete(`/api/core/shares/${given.data[0]!.id}`)
  await page.reload()
  await page.getByRole('heading', { level: 1, name: 'Partagé avec moi' }).waitFor()
  await eventually(() => page.getByRole('link', { name }).count()).toBe(0)
})

test('a list that is refused while it is open says so, and why', async () => {
  await using claire = await visit('/')
  const role = await claire.api.create('/api/core/roles', {
    name: uniqueName('Lister'),
    grants: [{ resource: 'core.account', action: 'read', visibility: 'all' }],
  })
  await using leo = await visitAsNewcomer('/accounts', claire.api, { name: 'Leo Lister', roles: [role.id] })
  const { page } = leo
  await page.route('**/api/core/accounts?*', async (route) => {
    const body = { type: 'urn:socle:problem:PERMISSION_DENIED', status: 403, code: 'PERMISSION_DENIED' }
    const detail = 'This needs the permission core.account.read. Your administrator can grant it in Roles.'
    await route.fulfill({ status: 403, contentType: 'application/problem+json', json: { ...body, detail } })
  })
  await page.goto('/accounts')
  await page.getByText('Not open to you').waitFor()
  await page.getByRole('button', { name: 'Why?' }).click()
  await page.getByRole('dialog', { name: 'Why?' }).waitFor()
  await page.getByRole('heading', { name: 'Leo Lister' }).waitFor()
  await page.goto('/settings/roles')
  await page.getByRole('button', { name: 'Why?' }).click()
  await page.getByRole('heading', { name: 'No Leo Lister' }).waitFor()
})

test('a page that says no leads who may look into rights to what decides', async () => {
  await using claire = await visit('/accounts/0193d1a2-0000-7000-8000-00000000dead')
  const { page } = claire
  await page.getByRole('link', { name: 'Why?' }).click()
  await page.getByRole('heading', { name: 'Claire Martin' }).waitFor()
})
