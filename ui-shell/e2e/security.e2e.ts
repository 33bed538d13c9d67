import { createHmac } from 'node:crypto'
import type { BrowserContext, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { company, eventually, isFocused, toast, uniqueName, visit } from './browser.ts'
import type { Visit } from './browser.ts'

const password = 'Among the tall grasses'

interface Guest {
  readonly id: string
  readonly email: string
  readonly name: string
  /** Path of the invitation, with its secret. */
  readonly link: string
}

/** Somebody invited through the API, as an administrator's program would. */
async function invite(claire: Visit): Promise<Guest> {
  const name = uniqueName('Guest')
  const email = `${name.replaceAll(' ', '.').toLowerCase()}@example.com`
  const { data: roles } = await claire.api.get<{ data: { id: string; name: string }[] }>('/api/core/roles')
  const role = roles.find((it) => it.name === 'Member')?.id
  const answer = await claire.api.post<{ data: { id: string }; link: string }>('/api/core/users/invite', {
    email,
    roles: [role],
    locale: 'en',
  })
  return { id: answer.data.id, email, name, link: answer.link }
}

/** Accepts with a password, as the page asks for it. */
async function accept(page: Page, { name }: Guest): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('New password').fill(password)
  await page.getByRole('button', { name: 'Come in', exact: true }).click()
  await home(page).waitFor()
}

async function signIn(page: Page, { email }: Guest): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

async function signOut(page: Page, { name }: Guest): Promise<void> {
  await page.getByRole('button', { name }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { level: 1, name: 'Sign in to Socle' }).waitFor()
}

/** Signed in, wherever the address leads. */
const inside = (page: Page, { name }: Guest) => page.getByRole('button', { name })
const home = (page: Page) => page.getByRole('heading', { level: 1, name: /^Hello/ })

/** A device that says yes to every passkey, as Chromium plays one. */
async function addDevice(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

/** What an authenticator app shows for a secret, `later` half minutes from now. */
function codeOf(secret: string, later = 0): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later))
  const hash = createHmac('sha1', Buffer.from(bytes)).update(counter).digest()
  const value = (hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7f_ff_ff_ff) % 1_000_000
  return String(value).padStart(6, '0')
}

test('somebody is invited by a link that is shown once, comes in, and the link opens nothing more', async () => {
  await using claire = await visit('/settings/people')
  const email = `${uniqueName('link').replaceAll(' ', '.')}@example.com`
  await claire.page.getByRole('button', { name: 'Invite' }).click()
  await claire.page.getByLabel('E-mail', { exact: true }).fill(email)
  await claire.page.getByLabel('Member', { exact: true }).check()
  await claire.page.getByRole('button', { name: 'Invite' }).last().click()
  const shown = claire.page.getByText(/\/welcome#[\w-]{43}$/)
  const link = new URL((await shown.textContent())?.trim() ?? '')
  await claire.page.getByRole('button', { name: 'I have copied it' }).click()
  await claire.page
    .getByRole('listitem')
    .filter({ hasText: email })
    .getByText(/^invited until/)
    .waitFor()

  await using guest = await visit(link.pathname + link.hash, { as: 'nobody' })
  const { page } = guest
  await page.getByRole('heading', { level: 1, name: /^Welcome to/ }).waitFor()
  expect(page.url()).not.toContain(link.hash)
  await page.getByLabel('Name').fill('Lou Verdier')
  await page.getByLabel('New password').fill('short')
  await page.getByRole('button', { name: 'Come in', exact: true }).click()
  await page.getByRole('alert').filter({ hasText: 'at least 10 characters' }).waitFor()
  await page.getByLabel('New password').fill(password)
  await page.getByRole('button', { name: 'Come in', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Hello Lou' }).waitFor()

  await using late = await visit(link.pathname + link.hash, { as: 'nobody' })
  await late.page.getByRole('heading', { level: 1, name: 'This link opens nothing any more' }).waitFor()
})

test('an authenticator app is set up by its secret, and signing in asks for its code or a recovery code', async () => {
  await using claire = await visit('/')
  const who = await invite(claire)
  await using guest = await visit(who.link, { as: 'nobody' })
  const { page } = guest
  await accept(page, who)
  await page.goto('/settings/security')
  await page.getByRole('button', { name: 'Set up an app' }).click()
  await page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor()
  await page.getByText('Type the secret by hand instead').click()
  const secret = ((await page.getByText(/^(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}$/).textContent()) ?? '').replaceAll(' ', '')
  await page.getByLabel('Type the six digits the app now shows').fill(codeOf(secret))
  await page.getByRole('button', { name: 'Switch on' }).click()
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
  await eventually(() => codes.count()).toBe(10)
  const recovery = (await codes.first().textContent())?.trim() ?? ''
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await toast(page, 'Signing in now asks for a code too').waitFor()

  await signOut(page, who)
  await signIn(page, who)
  await page.getByLabel('Code of your authenticator app').fill('000000')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('alert').filter({ hasText: 'This code is wrong or was used already' }).waitFor()
  // The code of the set-up was used: the next half minute's is new, and clocks may differ by as much.
  await page.getByLabel('Code of your authenticator app').fill(codeOf(secret, 1))
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await inside(page, who).waitFor()

  await signOut(page, who)
  await signIn(page, who)
  await page.getByRole('button', { name: 'Use a recovery code' }).click()
  await page.getByLabel('Recovery code').fill(recovery)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await inside(page, who).waitFor()
})

test('passkeys are made with a name, open the door without a password, and are removed', async () => {
  await using claire = await visit('/')
  const who = await invite(claire)
  await using guest = await visit(who.link, { as: 'nobody' })
  const { page, context } = guest
  await addDevice(context, page)
  await accept(page, who)
  await page.goto('/settings/security')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByLabel('Name by which you will know it').fill('Test laptop')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('listitem').filter({ hasText: 'Test laptop' }).getByText('never used').waitFor()

  await signOut(page, who)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await inside(page, who).waitFor()
  await page.goto('/settings/security')
  await page.getByRole('listitem').filter({ hasText: 'Test laptop' }).getByText('used just now').waitFor()
  await page.getByRole('button', { name: 'Remove “Test laptop”?' }).click()
  await page.getByRole('button', { name: 'Delete' }).last().click()
  await toast(page, 'Removed').waitFor()

  await signOut(page, who)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByRole('alert').filter({ hasText: 'This passkey did not open the door' }).waitFor()
})

test('an invitation is accepted with a passkey alone', async () => {
  await using claire = await visit('/')
  const who = await invite(claire)
  await using guest = await visit('/', { as: 'nobody' })
  const { page, context } = guest
  await addDevice(context, page)
  await page.goto(who.link)
  await page.getByLabel('Name').fill(who.name)
  await page.getByRole('button', { name: 'Come in with a passkey instead' }).click()
  await home(page).waitFor()
  await signOut(page, who)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await home(page).waitFor()
})

test('another session is seen and ended, and its tab asks to sign in', async () => {
  await using claire = await visit('/')
  const who = await invite(claire)
  await using here = await visit(who.link, { as: 'nobody' })
  await accept(here.page, who)
  await using there = await visit('/', { as: 'nobody' })
  await signIn(there.page, who)
  await home(there.page).waitFor()
  await here.page.goto('/settings/security')
  await here.page.getByRole('button', { name: /^Sign out on Chrome/ }).click()
  await toast(here.page, 'Signed out there').waitFor()
  await there.page.getByRole('heading', { level: 1, name: 'Sign in to Socle' }).waitFor()
})

test('a person is deactivated with what they own handed on', async () => {
  await using claire = await visit('/')
  const who = await invite(claire)
  await using guest = await visit(who.link, { as: 'nobody' })
  await accept(guest.page, who)
  const account = await guest.api.create('/api/core/accounts', { name: uniqueName('Handed on') })
  await claire.page.goto('/settings/people')
  await claire.page.getByRole('button', { name: `Actions for ${who.name}` }).click()
  await claire.page.getByRole('menuitem', { name: 'Deactivate' }).click()
  await claire.page.getByRole('list', { name: 'Records they own' }).getByText('Accounts').waitFor()
  await claire.page.getByLabel('Hand it on to').selectOption({ label: company.admin.name })
  await claire.page.getByRole('button', { name: 'Deactivate and hand on' }).click()
  await toast(claire.page, `${who.name} can no longer sign in`).waitFor()
  await guest.page.getByRole('heading', { level: 1, name: 'Sign in to Socle' }).waitFor()
  const { data: me } = await claire.api.get<{ data: { id: string } }>('/api/core/me')
  await eventually(async () => (await claire.api.record('/api/core/accounts', account.id))['owner']).toBe(me.id)
})

test('a new key has no role until one is chosen', async () => {
  await using claire = await visit('/settings/api-keys')
  const { page } = claire
  await page.getByRole('button', { name: 'New key' }).first().click()
  const name = uniqueName('Website')
  await page.getByLabel('Name', { exact: true }).fill(name)
  const role = page.getByLabel('Acts with the role')
  expect(await role.inputValue()).toBe('')
  await page.getByRole('button', { name: 'Create the key' }).click()
  await eventually(() => isFocused(role)).toBe(true)
  await role.selectOption({ label: 'Integration' })
  await page.getByRole('button', { name: 'Create the key' }).click()
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByText(name, { exact: true }).first().waitFor()
})
