import type { Locator } from 'playwright-core'
import { expect, test } from 'vitest'
import { eventually, uniqueName, visit, type Api, type Stored } from './browser.ts'

/** Somebody let in for a test, by name. */
async function somebody(api: Api, name: string): Promise<Stored> {
  const email = `${uniqueName('somebody').replaceAll(' ', '-').toLowerCase()}@example.com`
  return api.create('/api/core/users', { name, email })
}

function daysFromNow(days: number): string {
  const day = new Date(Date.now() + days * 86_400_000)
  return new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Paris' }).format(day)
}

test('a team has a lead, and its members come and go by dates', async () => {
  await using claire = await visit('/settings/teams')
  const { page, api } = claire
  const person = await somebody(api, uniqueName('Tom Dated'))
  await page.reload()
  const name = uniqueName('Crew')
  await page.getByRole('button', { name: 'New team' }).first().click()
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByRole('combobox', { name: 'Led by' }).fill('Camille')
  await page.getByRole('option', { name: /^Camille Roussel/ }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  const row = page.getByRole('listitem').filter({ hasText: name })
  await row.getByText('nobody yet · led by Camille Roussel').waitFor()

  await page.getByRole('button', { name: `Members of ${name}` }).click()
  const dialog = page.locator('shell-team-members')
  await dialog.getByLabel('Person', { exact: true }).selectOption({ label: String(person['name']) })
  await dialog.getByLabel('From').fill(daysFromNow(3))
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()
  const membership = dialog.getByRole('listitem').filter({ hasText: String(person['name']) })
  await membership.getByText('later', { exact: true }).waitFor()
  await dialog.getByRole('button', { name: `Change the days of ${String(person['name'])}` }).click()
  await dialog.getByLabel('From').fill(daysFromNow(-7))
  await dialog.getByLabel('Last day').fill(daysFromNow(0))
  await dialog.getByRole('button', { name: 'Save', exact: true }).click()
  await membership.getByText('now', { exact: true }).waitFor()
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click()
  await row.getByText(/^1 member/).waitFor()

  const { data } = await api.get<{ data: { id: string; name: string }[] }>('/api/core/teams')
  const { id } = data.find((it) => it.name === name)!
  const places = await api.get<{ data: { user: string; to: string }[] }>(`/api/core/teams/${id}/memberships`)
  expect(places.data).toMatchObject([{ user: person.id, to: daysFromNow(1) }])
})

test('whom somebody reports to is chosen with their roles and team', async () => {
  await using claire = await visit('/settings/people')
  const { page, api } = claire
  const person = await somebody(api, uniqueName('Rene Reports'))
  await page.reload()
  await page.getByRole('button', { name: `Actions for ${String(person['name'])}` }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await page.getByRole('combobox', { name: 'Reports to' }).fill('Camille')
  await page.getByRole('option', { name: /^Camille Roussel/ }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  const { data } = await api.get<{ data: { id: string; name: string }[] }>('/api/core/users')
  const manager = data.find(({ name }) => name === 'Camille Roussel')!
  await eventually(async () => (await api.record('/api/core/users', person.id))['manager']).toBe(manager.id)
})

test('somebody is invited as a partner’s person, and made one of the house again', async () => {
  await using claire = await visit('/settings/people')
  const { page, api } = claire
  const partner = await api.create('/api/core/accounts', { name: uniqueName('Resale Partner') })
  const name = uniqueName('Nora Partner')
  const choose = async (dialog: Locator) => {
    await dialog.getByRole('combobox', { name: 'Partner' }).fill(String(partner['name']))
    await page.getByRole('option', { name: new RegExp(`^${String(partner['name'])}`) }).click()
  }
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  const form = page.locator('shell-person-form')
  await form.getByLabel('E-mail').fill(`${name.replaceAll(' ', '-').toLowerCase()}@example.com`)
  await form.getByLabel('Name', { exact: true }).fill(name)
  await choose(form)
  await form.getByRole('button', { name: 'Invite', exact: true }).click()
  await page.locator('shell-secret').getByRole('button', { name: 'I have copied it' }).click()
  const row = page.getByRole('listitem').filter({ hasText: name })
  await row.getByText(String(partner['name']), { exact: true }).waitFor()
  const stored = async () => {
    const { data } = await api.get<{ data: { name: string; partner: string | null }[] }>('/api/core/users')
    return data.find((it) => it.name === name)?.partner
  }
  expect(await stored()).toBe(partner.id)

  await page.getByRole('button', { name: `Actions for ${name}` }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  const field = form.getByRole('combobox', { name: 'Partner' })
  await eventually(() => field.inputValue()).toBe(String(partner['name']))
  await field.fill('')
  await field.press('Tab')
  await form.getByRole('button', { name: 'Save', exact: true }).click()
  await eventually(stored).toBe(null)
  await row.getByText(String(partner['name']), { exact: true }).waitFor({ state: 'detached' })
})

test('asking what somebody may do who is out does not let them in', async () => {
  await using claire = await visit('/settings/people')
  const { page, api } = claire
  const person = await somebody(api, uniqueName('Otto Out'))
  await api.post(`/api/core/users/${person.id}/deactivate`, {})
  await page.reload()
  await page.getByRole('button', { name: `Actions for ${String(person['name'])}` }).click()
  await page.getByRole('menuitem', { name: 'Check access' }).click()
  await page.getByText(`${String(person['name'])} does not work here now: their sign-in is not active.`).waitFor()
  expect(await api.record('/api/core/users', person.id)).toMatchObject({ state: 'inactive' })
})
