import { expect, test } from 'vitest'
import { toast, uniqueName, visit } from './browser.ts'

test('an objection is recorded with its proof, and the person is erased step by step from their page', async () => {
  await using claire = await visit('/contacts')
  const { page, api } = claire
  const last = uniqueName('Quibervant').replaceAll(/[^\p{L}\p{N}]/gu, '')
  const email = `${last.toLowerCase()}@example.com`
  const mobile = `+336${String(Date.now()).slice(-8)}`
  const person = await api.create('/api/core/contacts', { firstName: 'Odile', lastName: last, email, mobile })
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
  await page.getByRole('button', { name: 'Note the request' }).click()
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

  await page.getByLabel('E-mail or phone number').fill(mobile)
  await page.getByRole('button', { name: 'Look up' }).click()
  await page.getByText(/Phone: suppressed since .* SMS: suppressed since/).waitFor()
  await page.getByLabel('Reason', { exact: true }).fill('Came back to the shop')
  await page.getByRole('button', { name: 'Let return' }).click()
  await page.getByText(`${mobile} may come back.`).waitFor()
  await page.getByRole('button', { name: 'Look up' }).click()
  await page.getByText(`${mobile} is not suppressed.`).waitFor()
})

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)

test('what a letter of last week said holds from its day, for its address and its topic', async () => {
  await using claire = await visit('/contacts')
  const { page, api } = claire
  const email = `${uniqueName('letter').replaceAll(/[^\p{L}\p{N}]/gu, '')}@example.com`.toLowerCase()
  const person = await api.create('/api/core/contacts', { lastName: uniqueName('Trogoff'), email })
  await page.goto(`/contacts/${person.id}/consent`)
  await page.getByRole('button', { name: 'Record', exact: true }).click()
  await page.getByLabel('On which day').fill(daysAgo(7))
  await page.getByLabel('Address', { exact: true }).fill(email)
  await page.getByLabel('Topic', { exact: true }).fill('newsletter')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('newsletter, by E-mail').waitFor()
  await page.getByLabel('As of').fill(daysAgo(9))
  await page.getByText('Nobody has objected or withdrawn.').waitFor()
  expect(await page.getByText('newsletter, by E-mail').count()).toBe(0)
  await page.getByLabel('As of').fill(daysAgo(5))
  await page.getByText('newsletter, by E-mail').waitFor()

  await page.goto('/settings/privacy')
  await page.getByRole('button', { name: 'Check the chain' }).click()
  await page.getByText('Whole: ').waitFor()
})

test('an account that is a person asks for its data through somebody, on an earlier day', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const person = await api.create('/api/core/accounts', { name: uniqueName('Soizic Kerfot'), kind: 'person' })
  await page.goto(`/accounts/${person.id}/consent`)
  await page.getByRole('button', { name: 'Give all data' }).click()
  await page.getByLabel('Received on').fill(daysAgo(3))
  await page.getByLabel('Asked by').fill('Me Lozach, her lawyer')
  await page.getByRole('button', { name: 'Note the request' }).click()
  await page.getByText('Me Lozach, her lawyer').waitFor()
  await page.getByRole('link', { name: 'Open the record' }).click()
  await page.waitForURL(`**/accounts/${person.id}**`)
})

test('a number is suppressed by all that reaches it, and who manages privacy lifts that again', async () => {
  await using claire = await visit('/settings/privacy')
  const { page } = claire
  const number = `+3319900${String(Date.now()).slice(-4)}`
  await page.getByLabel('E-mail or phone number').fill(number)
  await page.getByRole('button', { name: 'Suppress' }).click()
  await page.getByText(`${number} is suppressed.`).waitFor()
  await page.getByRole('button', { name: 'Look up' }).click()
  await page.getByText(/Phone: suppressed since .* SMS: suppressed since/).waitFor()
  await page.getByLabel('Reason', { exact: true }).fill('Asked for it by phone')
  await page.getByRole('button', { name: 'Lift', exact: true }).click()
  await page.getByText(`${number} may be written to again.`).waitFor()
  await page.getByRole('button', { name: 'Look up' }).click()
  await page.getByText(`${number} is not suppressed.`).waitFor()
})

test('a retention rule is rehearsed where it is written, and run at once with its certificate', async () => {
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
  await page.getByRole('button', { name: `Edit ${name}` }).click()
  await page.getByLabel('Days of grace').fill('0')
  await page.getByLabel('Run every night').check()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: `Run now: ${name}` }).click()
  await page.getByRole('alertdialog', { name: `Run ${name} now?` }).waitFor()
  await page.getByRole('button', { name: 'Run now' }).last().click()
  await page.getByText('1 gone, 1 of them anonymised').waitFor()
  expect(await page.getByRole('link', { name: 'Certificate' }).getAttribute('href')).toMatch(
    /^\/api\/core\/privacy\/certificates\/[0-9a-f-]{36}$/,
  )
})
