import { expect, test } from 'vitest'
import { eventually, toast, uniqueName, visit, visitAsNewcomer } from './browser.ts'
import { findings } from './walk.ts'

test('a role allows what meets a condition and refuses what it names, as its editor says, for whoever holds it', async () => {
  await using claire = await visit('/')
  const town = uniqueName('Saint-Flour')
  const near = await claire.api.create('/api/core/accounts', { name: uniqueName('Near'), city: town })
  await claire.api.create('/api/core/accounts', { name: uniqueName('Far'), city: 'Brest' })
  const role = await claire.api.create('/api/core/roles', { name: uniqueName('Field'), grants: [] })
  await using fanny = await visitAsNewcomer('/', claire.api, { name: 'Fanny Field', roles: [role.id] })
  const seen = async () => {
    const { data } = await fanny.api.get<{ data: { id: string }[] }>('/api/core/accounts?limit=50&sort=-createdAt')
    return data.map(({ id }) => id)
  }
  await expect(seen()).rejects.toThrow('PERMISSION_DENIED')

  const page = await claire.tab(`/settings/roles/${role.id}`)
  await page.getByRole('button', { name: 'Add an exception' }).click()
  const dialog = page.locator('shell-exception-dialog')
  await dialog.getByLabel('Records').selectOption('core.account')
  await dialog.getByRole('textbox', { name: 'Condition' }).fill('town = ')
  await dialog.getByRole('button', { name: 'Take it over' }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByRole('textbox', { name: 'Condition' }).fill('')
  await dialog.getByText('Names of fields').click()
  await dialog.getByRole('button', { name: 'city City' }).click()
  await page.keyboard.type(` = "${town}"`)
  expect(await dialog.getByRole('textbox', { name: 'Condition' }).inputValue()).toBe(`city = "${town}"`)
  expect(await findings(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Take it over' }).click()
  await page.getByText('See: Accounts (all)').waitFor()
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, /saved/).waitFor()
  await eventually(seen).toEqual([near.id])

  await page.getByRole('button', { name: 'Change: See: Accounts (all)' }).click()
  const change = page.locator('shell-exception-dialog')
  expect(await change.getByRole('textbox', { name: 'Condition' }).inputValue()).toBe(`city = "${town}"`)
  await change.getByLabel('Refuse, whatever other roles allow').check()
  await change.getByRole('button', { name: 'Take it over' }).click()
  await page.getByLabel('See: Accounts', { exact: true }).selectOption('all')
  await page.getByRole('button', { name: 'Save' }).click()
  await eventually(async () => (await seen()).includes(near.id)).toBe(false)
  expect((await seen()).length).toBeGreaterThan(0)

  await page.getByRole('button', { name: 'Remove: See: Accounts (all)' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await eventually(async () => (await seen()).includes(near.id)).toBe(true)
})

test('an exception that a plain line makes idle says so, and a permission is refused by its name', async () => {
  await using claire = await visit('/')
  const role = await claire.api.create('/api/core/roles', {
    name: uniqueName('Reader'),
    grants: [
      { resource: 'core.account', action: 'read', visibility: 'all' },
      { resource: 'core.account', action: 'read', visibility: 'all', condition: 'city = "Brest"' },
    ],
  })
  const page = await claire.tab(`/settings/roles/${role.id}`)
  await page.getByText('Without effect').waitFor()
  await page.getByRole('button', { name: 'Add an exception' }).click()
  const dialog = page.locator('shell-exception-dialog')
  await dialog.getByLabel('Refuse, whatever other roles allow').check()
  await dialog.getByLabel('Records').selectOption('!core.plugin.toggle')
  await dialog.getByRole('button', { name: 'Take it over' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await eventually(async () => (await claire.api.record('/api/core/roles', role.id))['grants']).toContainEqual(
    expect.objectContaining({ resource: 'core.plugin', action: 'toggle', deny: true }),
  )
})

test('somebody is given a role through a day, and the list of people says until when', async () => {
  await using claire = await visit('/settings/people')
  const { page } = claire
  const email = `${uniqueName('through').replaceAll(' ', '-').toLowerCase()}@example.com`
  await page.getByRole('button', { name: 'Invite' }).click()
  await page.getByLabel('E-mail', { exact: true }).fill(email)
  await page.getByLabel('Member', { exact: true }).check()
  await page.getByLabel('Last day as Member').fill('2031-12-31')
  await page.getByRole('button', { name: 'Invite' }).last().click()
  await page.getByRole('button', { name: 'I have copied it' }).click()
  const made = async () => {
    const filter = encodeURIComponent(`email = "${email}"`)
    const { data } = await claire.api.get<{ data: { id: string; name: string; roles: string[]; roleEnds: object }[] }>(
      `/api/core/users?filter=${filter}`,
    )
    return data[0]!
  }
  const { name, roles } = await made()
  // The workspace's clocks are an hour ahead in winter.
  const end = { [roles[0]!]: expect.stringMatching(/^2031-12-31T23:00:00/) }
  expect((await made()).roleEnds).toEqual(end)
  const row = page.getByRole('listitem').filter({ hasText: name })
  await row.getByText('Member until').waitFor()

  await row.getByRole('button', { name: `Actions for ${name}` }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Theo Through')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Theo Through').first().waitFor()
  expect((await made()).roleEnds).toEqual(end)

  await page.getByRole('button', { name: 'Actions for Theo Through' }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await page.getByLabel('Last day as Member').fill('')
  await page.getByRole('button', { name: 'Save' }).click()
  await eventually(async () => (await made()).roleEnds).toEqual({})
})
