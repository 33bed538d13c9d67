import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startOpenIdProvider, type OpenIdProvider } from '../../core/test/openid-provider.ts'
import { company, toast, uniqueName, visit, type Visit } from './browser.ts'
import { startNameServer } from './name-server.ts'

let idp: OpenIdProvider
let names: Awaited<ReturnType<typeof startNameServer>>
beforeAll(async () => {
  idp = await startOpenIdProvider()
  names = await startNameServer(company.names)
})
afterAll(async () => {
  await names.close()
  await idp.close()
})

/** Signs in on the provider's own pages, as it draws them. */
async function atProvider(page: Page, login: string): Promise<void> {
  await page.waitForURL(`${idp.issuer}/**`)
  await page.locator('input[name=login]').fill(login)
  await page.locator('input[name=password]').fill('any')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

test('an administrator adds a provider, and somebody signs in on its page and lands where they wanted to go', async () => {
  await using claire = await visit('/settings/identity-providers')
  const { page } = claire
  await claire.api.post('/api/core/me/presence', { password: company.admin.password })
  const name = uniqueName('Entrance')
  const domain = `${name.replaceAll(/\W/g, '').toLowerCase()}.example`
  await page.getByRole('button', { name: 'Add a provider' }).first().click()
  await page.getByRole('menuitem', { name: 'OpenID Connect' }).click()
  await page.getByLabel('Name on the button').fill(name)
  await page.getByLabel('Issuer', { exact: true }).fill(idp.issuer)
  await page.getByLabel('Client id').fill(idp.client.id)
  await page.getByLabel('Client secret').fill('a secret mistyped')
  await page.getByLabel('E-mail domains').fill(domain)
  await page.getByLabel('Who comes in').selectOption('anyone')
  await page.getByLabel('Role of newcomers').selectOption({ label: 'Member' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText(`“${name}” is added and still off`).waitFor()
  const address = (await page.locator('.secret code').first().textContent())!.trim()
  idp.allow(address)
  await page.getByRole('button', { name: 'Cancel' }).click()

  const choose = async (item: string) => {
    await page.getByRole('button', { name: `Actions for ${name}` }).click()
    await page.getByRole('menuitem', { name: item }).click()
  }
  await choose('Test')
  await page.getByText('It refuses our client id or secret.').waitFor()
  await page.getByRole('button', { name: 'Close' }).last().click()
  await choose('Edit')
  await page.getByLabel('Client secret').fill(idp.client.secret)
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, `“${name}” saved`).waitFor()
  await choose('Test')
  await page.getByText('All is well.').waitFor()
  await page.getByRole('button', { name: 'Close' }).last().click()
  await choose('Switch on')
  await toast(page, `“${name}” is on`).waitFor()

  await page.getByText(`${domain} is not proved`).waitFor()
  await choose('Prove its domains')
  const record = page.locator('.proofs .secret code')
  const [recordName = '', recordText = ''] = await record.allTextContents()
  await page.getByRole('button', { name: 'Check now' }).click()
  await page
    .getByRole('alert')
    .filter({ hasText: `was found at _socle.${domain}` })
    .waitFor()
  names.texts.set(recordName, recordText)
  await page.getByRole('button', { name: 'Check now' }).click()
  await page.getByText('proved', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Close' }).last().click()

  const login = 'newcomer'
  idp.accounts.set(login, { email: `newcomer@${domain}`, email_verified: true, name: 'Noé Newcomer' })
  await using noe = await visit('/accounts?sort=-name', { as: 'nobody' })
  await noe.page.getByLabel('E-mail').fill(`newcomer@${domain}`)
  await noe.page.getByLabel('Password', { exact: true }).focus()
  await noe.page.getByRole('button', { name: `Sign in with ${name}` }).click()
  await atProvider(noe.page, login)
  await noe.page.getByRole('grid', { name: 'Accounts' }).waitFor()
  expect(noe.page.url()).toContain('/accounts?sort=-name')
  await noe.page.goto('/settings/security')
  await noe.page.getByText(`through ${name}`).waitFor()

  // Who has no password shows that it is them where they came in.
  await noe.page.getByRole('heading', { name: 'Accounts at identity providers' }).waitFor()
  await noe.page.getByRole('button', { name: 'Set up an app' }).click()
  await noe.page.getByRole('heading', { name: 'Is it you?' }).waitFor()
  const opened = noe.page.waitForEvent('popup')
  await noe.page.getByRole('button', { name: `Sign in again with ${name}` }).click()
  const asking = await opened
  await asking.waitForURL(`${idp.issuer}/**`)
  await asking.locator('input[name=login]').fill(login)
  await asking.locator('input[name=password]').fill('any')
  await asking.getByRole('button', { name: 'Sign-in' }).click()
  await noe.page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor()
  await noe.page.keyboard.press('Escape')

  // Claire follows an address somebody sent: it asks before it begins, and before it makes her another.
  await using sent = await visit('/accounts')
  const whoIs = async ({ api }: Visit) => (await api.get<{ user: { email: string } }>('/api/core/shell')).user.email
  const before = await whoIs(sent)
  await sent.page.goto(address)
  await sent.page.getByRole('button', { name: `Sign in with ${name}` }).click()
  await atProvider(sent.page, login)
  await sent.page.getByRole('heading', { level: 1, name: `Go on as newcomer@${domain}?` }).waitFor()
  await sent.page.getByRole('button', { name: 'Stay as it is' }).click()
  await sent.page.waitForURL((url) => !url.pathname.startsWith('/sign-on'))
  expect(await whoIs(sent)).toBe(before)

  idp.accounts.set('second', { email: `second@${domain}`, email_verified: true, name: 'Sam Second' })
  await noe.context.clearCookies({ name: /^_/ })
  await noe.page.goto(address)
  await noe.page.getByRole('button', { name: `Sign in with ${name}` }).click()
  await atProvider(noe.page, 'second')
  await noe.page.getByText(`newcomer@${domain} is signed in to this browser`).waitFor()
  await noe.page.getByRole('button', { name: /^Join / }).click()
  await noe.page.waitForURL((url) => !url.pathname.startsWith('/sign-on'))
  expect(await whoIs(noe)).toBe(`second@${domain}`)

  idp.accounts.set('stranger', { email: 'stranger@elsewhere.example', email_verified: true })
  await using stranger = await visit('/', { as: 'nobody', locale: 'fr-FR' })
  await stranger.page.getByRole('button', { name: `Se connecter avec ${name}` }).click()
  await atProvider(stranger.page, 'stranger')
  await stranger.page.getByRole('heading', { level: 1, name: 'Vous n’êtes pas connecté' }).waitFor()
  await stranger.page.getByText(`${name} ne peut pas répondre de stranger@elsewhere.example`).waitFor()
  await stranger.page.getByRole('button', { name: 'Se connecter autrement' }).click()
  await stranger.page.getByRole('heading', { level: 1, name: 'Se connecter à Socle' }).waitFor()

  await choose('Delete')
  await page.getByRole('button', { name: 'Delete', exact: true }).last().click()
  await toast(page, `“${name}” deleted`).waitFor()
  await noe.page.goto('/')
  await noe.page.getByRole('heading', { level: 1, name: 'Sign in to Socle' }).waitFor()
})
