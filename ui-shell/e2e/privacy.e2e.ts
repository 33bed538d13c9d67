import { expect, test } from 'vitest'
import { toast, uniqueName, visit } from './browser.ts'

test('an objection is recorded with its proof, and the person is erased step by step from their page', async () => {
  await using claire = await visit('/contacts')
  const { page, api } = claire
  const last = uniqueName('Quibervant').replaceAll(/[^\p{L}\p{N}]/gu, '')
  const email = `${last.toLowerCase()}@example.com`
  const person = await api.create('/api/core/contacts', { firstName: 'Odile', lastName: last, email })
  await page.goto(`/contacts/${person.id}/consent`)
  await page.getByText('Nobody has objected or withdrawn.').waitFor()
  await page.getByRole('button', { name: 'Record', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Record' })
  await dialog.waitFor()
  await page.getByLabel('How it was told').selectOption('phone-call')
  await page.getByLabel('Wording').fill('Please write to me no more.')
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, 'Recorded with its proof.').waitFor()
  await page.getByText('Please write to me no more.').waitFor()
  await page.getByText('Objected', { exact: true }).waitFor()

  await page.getByRole('button', { name: 'Erase this person' }).click()
  await page.getByLabel('Identity check').fill('Passport seen')
  await page.getByRole('button', { name: 'Verified' }).click()
  const erase = page.getByRole('button', { name: 'Erase this person' })
  await erase.waitFor()
  expect(await erase.isDisabled()).toBe(true)
  await page.getByRole('button', { name: 'Rehearse' }).click()
  await page.getByText('The person: blanked and taken off the lists').waitFor()
  await erase.click()
  await page.getByRole('alertdialog', { name: 'Erase this person for good?' }).waitFor()
  // The dialog stands last in the page, in front of the button that asked.
  await page.getByRole('button', { name: 'Erase this person' }).last().click()
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText('Valid', { exact: true }).waitFor()

  await page.goto('/settings/privacy')
  await page.getByLabel('E-mail or phone number').fill(email)
  await page.getByRole('button', { name: 'Look up' }).click()
  await page.getByText('because the person was erased').waitFor()
})

test('a retention rule is rehearsed where it is written', async () => {
  await using claire = await visit('/settings/retention')
  const { page, api } = claire
  const source = uniqueName('fair').replaceAll('"', '')
  await api.create('/api/core/leads', { lastName: 'Retained', source })
  const name = uniqueName('Rule')
  await page.getByRole('button', { name: 'New rule' }).first().click()
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Records', { exact: true }).selectOption('core.lead')
  await page.getByLabel('Condition', { exact: true }).fill('sorce = "x"')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Did you mean "source"?').waitFor()
  await page.getByLabel('Condition', { exact: true }).fill(`source = "${source}"`)
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, `${name} is saved.`).waitFor()
  await page.getByRole('button', { name: `Rehearse ${name}` }).click()
  await page.getByText('One record meets the condition now').waitFor()
})
