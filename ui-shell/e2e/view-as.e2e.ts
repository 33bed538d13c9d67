import { expect, test } from 'vitest'
import { company, uniqueName, visit, visitAsNewcomer } from './browser.ts'

test('an administrator sees the workspace as a colleague, changes nothing, and stops', async () => {
  // A session of its own: the flag stands on it.
  await using visitor = await visit('/', { as: 'nobody', locale: 'en-GB' })
  const { page, api } = visitor
  const { email, password, name } = company.admin
  await api.post('/api/auth/sign-in/email', { email, password })
  const account = await api.create('/api/core/accounts', { name: uniqueName('Looked at') })
  await page.goto('/settings/people')
  await page.getByRole('button', { name: 'Actions for Camille Roussel' }).click()
  await page.getByRole('menuitem', { name: 'View as…' }).click()
  await page.getByLabel('Reason').fill('Ticket 4711')
  await page.getByRole('button', { name: 'Begin' }).click()
  const banner = page.getByText(/^You see this as Camille Roussel/)
  await banner.waitFor()
  await page.goto(`/accounts/${account.id}`)
  await page.getByRole('heading', { level: 1, name: String(account['name']) }).waitFor()
  await banner.waitFor()
  expect(await page.getByRole('button', { name: 'Log' }).count()).toBe(0)
  await expect(api.patch(`/api/core/accounts/${account.id}`, { version: 1, city: 'Pau' })).rejects.toThrow(
    'VIEW_AS_READ_ONLY',
  )
  await page.getByRole('button', { name: 'Stop' }).click()
  // The whole page is left and comes again: only waiting for it survives that, counting in it may never end.
  await page.getByText(name).first().waitFor()
  await banner.waitFor({ state: 'detached' })
  const { data } = await api.get<{ data: { reason: string; endedBy: string }[] }>(
    '/api/core/viewings?sort=-createdAt&limit=1',
  )
  expect(data[0]).toMatchObject({ reason: 'Ticket 4711', endedBy: 'self' })
})

test('who may look as others and nothing else finds people and begins there; who may ask for rights checks them there', async () => {
  await using claire = await visit('/')
  const email = `${uniqueName('plain').replaceAll(' ', '-').toLowerCase()}@example.com`
  const name = uniqueName('Petra Plain')
  const { password } = await claire.api.post<{ password: string }>('/api/core/users', { name, email })
  // Whoever never came in is nobody to look as.
  await using petra = await visit('/', {
    as: 'nobody',
    async prepare(context) {
      const headers = { origin: company.url }
      await context.request.post('/api/auth/sign-in/email', { headers, data: { email, password } })
    },
  })
  await petra.page.getByRole('heading', { level: 1 }).first().waitFor()
  const roleOf = async (permission: string) =>
    (await claire.api.create('/api/core/roles', { name: uniqueName('Looks'), permissions: [permission] })).id
  const viewer = { name: 'Vera Viewer', roles: [await roleOf('core.actor.view-as')] }
  await using vera = await visitAsNewcomer('/settings/people', claire.api, viewer)
  await vera.page.getByRole('button', { name: `Actions for ${name}` }).click()
  expect(await vera.page.getByRole('menuitem').allInnerTexts()).toEqual(['View as…'])
  await vera.page.getByRole('menuitem', { name: 'View as…' }).click()
  await vera.page.getByLabel('Reason').fill('Ticket 4712')
  await vera.page.getByRole('button', { name: 'Begin' }).click()
  await vera.page.getByText(`You see this as ${name}`).waitFor()

  const auditor = { name: 'Axel Auditor', roles: [await roleOf('core.audit.read')] }
  await using axel = await visitAsNewcomer('/settings/people', claire.api, auditor)
  await axel.page.getByRole('button', { name: `Actions for ${name}` }).click()
  await axel.page.getByRole('menuitem', { name: 'Check access' }).click()
  await axel.page.getByRole('heading', { name }).waitFor()
})
