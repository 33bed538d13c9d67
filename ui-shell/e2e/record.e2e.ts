import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { eventually, toast, uniqueName, visit, settled } from './browser.ts'

const details = (page: Page) => page.getByRole('region', { name: 'Details' })

test('a record opens with one request for itself and its timeline', async () => {
  await using claire = await visit('/')
  const account = await claire.api.create('/api/core/accounts', { name: uniqueName('Read at once') })
  const asked: string[] = []
  claire.page.on('request', (request) => {
    if (request.url().includes(`/api/core/accounts/${account.id}`)) asked.push(request.url())
  })
  await claire.page.goto(`/accounts/${account.id}`)
  await claire.page.locator('shell-timeline').getByText('Created').waitFor()
  await settled(claire.page)
  expect(asked.filter((it) => !it.endsWith('/duplicates'))).toEqual([expect.stringContaining('timeline=first')])
})

test('a record of a kind without a timeline opens with its history, and offers to log nothing', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  await api.post('/api/core/plugins/hello/enable', {})
  const greeting = await api.create('/api/hello/greetings', { text: uniqueName('Bonjour') })
  const refused: string[] = []
  page.on('response', (response) => {
    if (response.status() === 404) refused.push(response.url())
  })
  await page.goto(`/hello/greetings/${greeting.id}`)
  await page.getByRole('list', { name: 'History' }).getByRole('listitem').first().waitFor()
  expect(await page.getByRole('link', { name: 'Activity', exact: true }).count()).toBe(0)
  expect(await page.getByRole('button', { name: 'Log', exact: true }).count()).toBe(0)
  await page.goto(`/hello/greetings?peek=${greeting.id}`)
  await page.getByRole('heading', { name: String(greeting['text']) }).waitFor()
  await settled(page)
  expect(await page.getByRole('heading', { name: 'Activity', exact: true }).count()).toBe(0)
  expect(refused).toEqual([])
})

test('a field is edited in place, and its history offers the way back', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Record'), city: 'Lyon' })
  const city = async () => (await api.record('/api/core/accounts', account.id))['city']
  await page.goto(`/accounts/${account.id}`)
  await details(page).getByRole('button', { name: 'Change City' }).click()
  await details(page).getByRole('textbox', { name: 'City' }).fill('Toulouse')
  await page.keyboard.press('Enter')
  await eventually(city).toBe('Toulouse')
  await toast(page, 'City changed').waitFor()

  await page
    .getByRole('link', { name: 'History' })
    .or(page.getByRole('tab', { name: 'History' }))
    .click()
  const change = page
    .getByRole('list', { name: 'History' })
    .getByRole('listitem')
    .filter({ hasText: 'Toulouse' })
    .first()
  await change.getByText('Lyon').waitFor()
  await change.getByText('Claire Martin').waitFor()
  await change.getByRole('button', { name: 'Undo' }).click()
  await toast(page, 'Undone.').waitFor()
  expect(await city()).toBe('Lyon')
  await details(page).getByRole('definition').filter({ hasText: 'Lyon' }).waitFor()
})

test('a note stands in the timeline at once, and on the record’s own activities', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Noted') })
  await page.goto(`/accounts/${account.id}`)
  const words = uniqueName('They asked for a visit')
  await page.getByRole('textbox', { name: 'Write a note…' }).fill(words)
  await page.keyboard.press('Control+Enter')
  const note = page.getByRole('list', { name: 'Activity' }).getByRole('listitem').filter({ hasText: words })
  await note.waitFor()
  // Whoever looks elsewhere and comes back finds it still.
  await page.getByRole('link', { name: 'History', exact: true }).click()
  await page.getByRole('list', { name: 'History' }).waitFor()
  await page.getByRole('link', { name: 'Activity', exact: true }).click()
  await note.waitFor()
  const { data } = await api.get<{ data: { kind: string; title: string }[] }>(
    `/api/core/accounts/${account.id}/timeline`,
  )
  expect(data.find((it) => it.title === words)?.kind).toBe('activity')
})

test('Ctrl+Z takes the last change back', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Undone'), city: 'Lyon' })
  const city = async () => (await api.record('/api/core/accounts', account.id))['city']
  await page.goto(`/accounts/${account.id}`)
  await details(page).getByRole('button', { name: 'Change City' }).click()
  await details(page).getByRole('textbox', { name: 'City' }).fill('Nice')
  await page.keyboard.press('Enter')
  await eventually(city).toBe('Nice')
  await toast(page, 'City changed').waitFor()
  await page.keyboard.press('Control+z')
  await eventually(city).toBe('Lyon')
})

test('two people change one field: both values stand side by side, and taking theirs writes nothing', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', {
    name: uniqueName('Disputed'),
    city: 'Lyon',
    industry: 'Wood',
  })
  await page.goto(`/accounts/${account.id}`)
  await camille.page.goto(`/accounts/${account.id}`)
  const stored = () => api.record('/api/core/accounts', account.id)

  // Claire is already typing when Camille saves.
  await details(page).getByRole('button', { name: 'Change City' }).click()
  await details(page).getByRole('textbox', { name: 'City' }).fill('Paris')
  await camille.page.getByRole('button', { name: 'Modifier Ville' }).click()
  await camille.page.getByRole('textbox', { name: 'Ville' }).fill('Lille')
  await camille.page.keyboard.press('Enter')
  await eventually(async () => (await stored())['city']).toBe('Lille')

  await details(page).getByRole('textbox', { name: 'City' }).press('Enter')
  await page.getByRole('alertdialog', { name: `Two changes to ${String(account['name'])}` }).waitFor()
  await page.getByRole('radio', { name: 'Mine' }).waitFor()
  const group = page.getByRole('group', { name: 'City' })
  for (const value of ['Paris', 'Lille', 'Lyon']) await group.getByText(value, { exact: true }).waitFor()
  const before = await stored()
  await page.getByRole('button', { name: 'Take theirs' }).click()
  await toast(page, 'Their values stand').waitFor()
  expect((await stored()).version).toBe(before.version)
  await details(page).getByRole('definition').filter({ hasText: 'Lille' }).waitFor()
})

test('two people change different fields: both are kept without a question', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const account = await api.create('/api/core/accounts', { name: uniqueName('Merged'), city: 'Lyon', industry: 'Wood' })
  await page.goto(`/accounts/${account.id}`)
  await details(page).getByRole('button', { name: 'Change City' }).click()
  await details(page).getByRole('textbox', { name: 'City' }).fill('Paris')
  await camille.api.patch(`/api/core/accounts/${account.id}`, { industry: 'Stone', version: account.version })
  await details(page).getByRole('textbox', { name: 'City' }).press('Enter')
  await eventually(async () => {
    const { city, industry } = await api.record('/api/core/accounts', account.id)
    return [city, industry]
  }).toEqual(['Paris', 'Stone'])
  expect(await page.getByRole('alertdialog').count()).toBe(0)
})

test('a record that is not there says so and leads back', async () => {
  await using claire = await visit('/accounts/01a20e12-0000-7000-8000-000000000000')
  await claire.page.getByRole('heading', { name: 'This record is not here' }).waitFor()
  await claire.page.getByRole('link', { name: 'Back to accounts' }).click()
  await claire.page.getByRole('grid', { name: 'Accounts' }).waitFor()
})
