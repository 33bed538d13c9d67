import { expect, test } from 'vitest'
import { eventually, settled, uniqueName, visit, visitAsNewcomer, type Api, type Visit } from './browser.ts'
import { findings } from './walk.ts'

/** Somebody who sees accounts with some fields masked, and may unmask them. */
async function whoSeesMasks(
  claire: Api,
  options: { locale?: 'en' | 'fr'; theme?: 'dark'; width?: number } = {},
): Promise<Visit> {
  const role = await claire.create('/api/core/roles', {
    name: uniqueName('Desk'),
    grants: [{ resource: 'core.account', action: 'read', visibility: 'all' }],
    permissions: ['core.pii.unmask'],
    fields: ['phone', 'annualRevenue'].map((field) => ({ resource: 'core.account', field, access: 'masked' })),
  })
  return visitAsNewcomer('/accounts', claire, {
    name: 'Dominique Desk',
    roles: [role.id],
    locale: options.locale ?? 'en',
    theme: options.theme ?? 'light',
    size: { width: options.width ?? 1440, height: 900 },
  })
}

test('a masked field shows enough to recognise it, with a lock, and its value for a reason that the audit keeps', async () => {
  await using claire = await visit('/')
  const name = uniqueName('Maison')
  const account = await claire.api.create('/api/core/accounts', {
    name,
    phone: '+33 1 42 68 53 07',
    annualRevenue: '987654',
  })
  await using desk = await whoSeesMasks(claire.api)
  const { page } = desk
  await page.goto(`/accounts/${account.id}`)
  await page.getByRole('heading', { level: 1, name }).waitFor()
  await settled(page)
  await page.getByText('•••07').first().waitFor()
  expect(await page.getByText(/42 68|987/).count()).toBe(0)
  expect(await page.getByTitle('Masked for you').count()).toBeGreaterThanOrEqual(2)
  expect(await findings(page)).toEqual([])
  await page.getByRole('button', { name: 'Show Phone', exact: true }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.locator('shell-unmask-dialog')
  await dialog.getByLabel('Reason').waitFor()
  await dialog.getByRole('button', { name: 'Show it' }).click()
  await dialog.getByRole('alert').getByText('Say in a few words').waitFor()
  await dialog.getByLabel('Reason').fill('Called back about an invoice')
  await dialog.getByRole('button', { name: 'Show it' }).click()
  await page.getByText('+33 1 42 68 53 07').waitFor()
  // One value, and not the next one.
  expect(await page.getByText(/987/).count()).toBe(0)
  const audit = await claire.api.get<{ data: readonly { reason: string }[] }>('/api/core/audit?resource=core.unmasking')
  expect(audit.data.map(({ reason }) => reason)).toContain('Called back about an invoice')
  // The empty reason never left the browser: nothing was refused.
  expect(desk.complaints).toEqual([])
})

test('a role masks a field in its editor', async () => {
  await using claire = await visit('/')
  const role = await claire.api.create('/api/core/roles', {
    name: uniqueName('Desk'),
    grants: [{ resource: 'core.account', action: 'read', visibility: 'all' }],
  })
  const page = await claire.tab(`/settings/roles/${role.id}`)
  const account = page.locator('details').filter({ hasText: 'Annual revenue' }).first()
  await account.locator('summary').click()
  await account.getByLabel('Annual revenue').selectOption('masked')
  await page.getByRole('button', { name: 'Save' }).click()
  await eventually(async () => (await claire.api.record('/api/core/roles', role.id))['fields']).toEqual([
    { resource: 'core.account', field: 'annualRevenue', access: 'masked' },
  ])
})
