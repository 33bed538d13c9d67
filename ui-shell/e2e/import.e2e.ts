import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { uniqueName, visit } from './browser.ts'
import type { Api, Stored } from './browser.ts'

// Public data by Maven Analytics; it lies beside the repository, not in it.
const mavenAccounts = join(import.meta.dirname, '../../../shared/data/crm/maven/accounts.csv')
const isThere = existsSync(mavenAccounts)
// oxlint-disable-next-line no-console -- a test that is skipped must say why
if (!isThere) console.warn(`${mavenAccounts} is not there: its import by the wizard is not tested.`)

interface Upload {
  readonly name: string
  readonly mimeType: string
  readonly buffer: Buffer
}

async function choose(page: Page, file: Upload): Promise<void> {
  await page.getByLabel('Drop a file here').setInputFiles(file)
}

async function upload(page: Page, file: Upload): Promise<void> {
  await choose(page, file)
  await page.getByRole('heading', { name: /columns will be imported$/ }).waitFor()
}

/** The select that says where a column of the file goes. */
const target = (page: Page, column: string) => page.getByRole('combobox', { name: `“${column}” goes to` })

async function accountsNamed(api: Api, name: string): Promise<readonly Stored[]> {
  const query = new URLSearchParams({ filter: `name ~ "${name}"`, sort: 'name' })
  return (await api.get<{ data: Stored[] }>(`/api/core/accounts?${query}`)).data
}

test('a file with a misspelt value is mapped, corrected by an alias, rehearsed and run', async () => {
  await using claire = await visit('/accounts/import')
  const { page, api } = claire
  const name = uniqueName('Imported')
  const lines = ['Firm;Town;Stage', `${name} A;Lyon;prospect`, `${name} B;Nantes;prospekt`, `${name} C;Lille;client`]
  await upload(page, { name: 'firms.csv', mimeType: 'text/csv', buffer: Buffer.from(lines.join('\r\n')) })
  await page.getByText('3 lines').first().waitFor()

  await target(page, 'Firm').selectOption({ label: 'Name *' })
  await target(page, 'Town').selectOption({ label: 'City' })
  await target(page, 'Stage').selectOption({ label: 'Lifecycle' })
  await page.getByRole('heading', { name: '3 of 3 columns will be imported' }).waitFor()
  await page.getByRole('button', { name: /^Accept .* for “prospekt”$/ }).click()

  await page.getByRole('button', { name: 'Rehearse' }).click()
  await page.getByRole('heading', { name: 'What the import would do' }).waitFor()
  expect(await accountsNamed(api, name)).toEqual([])

  await page.getByRole('button', { name: 'Import 3 lines' }).click()
  await page.getByRole('heading', { name: 'Import finished' }).waitFor()
  await page.getByText('3 created, nothing updated, nothing refused.').first().waitFor()
  const made = await accountsNamed(api, name)
  expect(made.map((it) => [it['city'], it['lifecycle']])).toEqual([
    ['Lyon', 'prospect'],
    ['Nantes', 'prospect'],
    ['Lille', 'client'],
  ])

  await page.getByRole('link', { name: 'Open Accounts' }).click()
  await page
    .getByRole('grid', { name: 'Accounts' })
    .getByRole('rowheader', { name: `${name} A` })
    .waitFor()
})

test('a file that is no table is refused in words', async () => {
  await using claire = await visit('/accounts/import')
  const { page } = claire
  await choose(page, { name: 'firms.xlsx', mimeType: 'application/zip', buffer: Buffer.from('PK') })
  await page.getByRole('alert').filter({ hasText: 'firms.xlsx' }).first().waitFor()
})

test.skipIf(!isThere)('the accounts of the hardware seller come in through the wizard, all 85', async () => {
  await using claire = await visit('/accounts/import')
  const { page, api } = claire
  await upload(page, { name: 'accounts.csv', mimeType: 'text/csv', buffer: await readFile(mavenAccounts) })
  await page.getByText('85 lines').first().waitFor()
  await target(page, 'account').selectOption({ label: 'Name *' })
  for (const value of ['technolgy', 'Philipines'])
    await page.getByRole('button', { name: new RegExp(`^Accept .* for “${value}”$`) }).click()
  // Which Korea it is, only a person can say.
  const korea = page.getByRole('textbox', { name: '“Korea” becomes' })
  await korea.fill('KR')
  await korea.press('Tab')
  await page.getByRole('button', { name: 'Rehearse' }).click()
  await page.getByRole('heading', { name: 'What the import would do' }).waitFor()
  await page.getByRole('button', { name: 'Import 85 lines' }).click()
  await page.getByRole('heading', { name: 'Import finished' }).waitFor({ timeout: 120_000 })
  await page.getByText('85 created, nothing updated, nothing refused.').first().waitFor()
  const [acme] = await accountsNamed(api, 'Acme Corporation')
  expect(acme).toMatchObject({ industry: 'technology', employees: 2822, foundedYear: 1996, country: 'US' })
  const { data: daughters } = await api.get<{ data: Stored[] }>(
    `/api/core/accounts?${new URLSearchParams({ filter: `parent = "${acme?.id}"` })}`,
  )
  expect(daughters.length).toBeGreaterThan(0)
})
