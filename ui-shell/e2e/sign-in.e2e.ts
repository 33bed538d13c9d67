import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { company, eventually, isFocused, settled, uniqueName, visit } from './browser.ts'

async function signIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(company.admin.email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

const greeting = (page: Page) => page.getByRole('heading', { level: 1, name: 'Hello Claire' })
const door = (page: Page) => page.getByRole('heading', { level: 1, name: 'Sign in to Socle' })

test('a wrong password is answered in words, the right one opens home, and signing out closes it', async () => {
  await using claire = await visit('/', { as: 'nobody' })
  const { page } = claire
  await signIn(page, 'not the password')
  await page.getByRole('alert').filter({ hasText: 'This e-mail and password do not match' }).waitFor()
  expect(await page.getByLabel('E-mail').inputValue()).toBe(company.admin.email)

  // The server makes whoever mistyped wait a second or two.
  await eventually(async () => {
    await signIn(page, company.admin.password)
    return await Promise.race([
      greeting(page)
        .waitFor()
        .then(() => 'home'),
      page
        .getByRole('alert')
        .waitFor()
        .then(() => 'refused'),
    ])
  }).toBe('home')

  await page.getByRole('button', { name: company.admin.name }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await door(page).waitFor()
  await page.goto('/accounts')
  await door(page).waitFor()
  expect((await page.request.get('/api/core/shell')).status()).toBe(401)
})

test('a form sent without an address says what is missing and goes there', async () => {
  await using visitor = await visit('/', { as: 'nobody' })
  const { page } = visitor
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByText('Enter the e-mail address of your account.').waitFor()
  expect(await page.getByLabel('E-mail').evaluate((field) => field.matches(':focus'))).toBe(true)
})

test('the door speaks the language of the visitor', async () => {
  await using visitor = await visit('/', { as: 'nobody' })
  await visitor.page.getByRole('button', { name: 'Français' }).click()
  await visitor.page.getByRole('heading', { level: 1, name: 'Se connecter à Socle' }).waitFor()
  expect(await visitor.page.evaluate(() => document.documentElement.lang)).toBe('fr')
})

test('a session that ended asks to sign in and goes on at the same address', async () => {
  await using claire = await visit('/accounts?sort=-name')
  const { page } = claire
  await page.getByRole('grid', { name: 'Accounts' }).waitFor()
  await claire.context.clearCookies()
  await page.getByRole('columnheader', { name: 'Industry' }).getByRole('button').click()
  await door(page).waitFor()
  expect(new URL(page.url()).pathname).toBe('/accounts')
  const { search } = new URL(page.url())
  await signIn(page, company.admin.password)
  await page.getByRole('grid', { name: 'Accounts' }).waitFor()
  expect(new URL(page.url()).search).toBe(search)
})

test('who loses the session at work is told so, comes back by the password alone, and finds what was typed', async () => {
  await using claire = await visit('/accounts')
  const { page, complaints } = claire
  await page.getByRole('button', { name: 'New account' }).click()
  const name = uniqueName('Typed before')
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
  await claire.context.clearCookies()
  await page.keyboard.press('Control+Enter')
  await door(page).waitFor()
  await page.getByText('Your session has ended. Sign in again: what you typed is kept.').waitFor()
  expect(await page.getByLabel('E-mail').inputValue()).toBe(company.admin.email)
  expect(await isFocused(page.getByLabel('Password', { exact: true }))).toBe(true)
  expect(complaints.filter((it) => it.startsWith('uncaught'))).toEqual([])
  await page.keyboard.type(company.admin.password)
  await page.keyboard.press('Enter')
  const field = page.getByRole('textbox', { name: 'Name', exact: true })
  await eventually(() => field.inputValue()).toBe(name)
  await page.getByRole('button', { name: 'Discard' }).click()
})

test('what has no draft is offered for copying to who lost the session, and to nobody else', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const { data } = await api.get<{ data: { id: string; name: string; system: boolean }[] }>('/api/core/roles')
  const role = data.find((it) => !it.system)!
  await page.goto(`/settings/roles/${role.id}`)
  await settled(page)
  await page.getByLabel('Name', { exact: true }).fill('Changed and never saved')
  await claire.context.clearCookies()
  await page.evaluate(() => window.dispatchEvent(new Event('socle-signed-out')))
  await door(page).waitFor()
  await page.getByLabel('Password', { exact: true }).fill(company.admin.password)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Your text is still here' }).waitFor()
  await page.getByText('Your session ended before you saved.').waitFor()
  const lost = page.getByRole('textbox', { name: 'Changed and never saved' })
  expect(await lost.inputValue()).toContain('"name": "Changed and never saved"')
})
