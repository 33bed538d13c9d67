import { expect, test } from 'vitest'
import { eventually, uniqueName, visit } from './browser.ts'

test('the palette asks whether a prospect is known, by keyboard alone and in one word', async () => {
  await using claire = await visit('/')
  const { page } = claire
  const name = uniqueName('Boulangerie')
  await claire.api.post('/api/core/accounts', { name })
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Find or do anything' }).fill('prospect known')
  await page.getByRole('option', { name: 'Is this prospect known?' }).waitFor()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Is this prospect known?' })
  await dialog.waitFor()
  // What stands in a slot is no descendant of the dialog around it.
  const inside = page.locator('shell-known-account')
  const answer = inside.getByRole('status')
  await inside.getByLabel('Name').fill(name.toUpperCase())
  await page.keyboard.press('Enter')
  await eventually(() => answer.innerText()).toContain('Yours.')
  // The answer is about what was asked, and goes with it.
  await inside.getByLabel('Name').fill(uniqueName('Nobody'))
  await eventually(() => answer.innerText()).toBe('')
  await page.keyboard.press('Enter')
  await eventually(() => answer.innerText()).toContain('Free.')
  await inside.getByLabel('SIREN').fill('123 456 789')
  await page.keyboard.press('Enter')
  await inside.getByText('is no SIREN').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  expect(claire.complaints.filter((it) => !it.includes('422'))).toEqual([])
})
