import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { eventually, uniqueName, visit } from './browser.ts'
import type { Api, Stored, Upload } from './browser.ts'

// Public data by Maven Analytics; it lies beside the repository, not in it.
const maven = join(import.meta.dirname, '../../../shared/data/crm/maven')
const isThere = existsSync(maven)
// oxlint-disable-next-line no-console -- a test that is skipped must say why
if (!isThere) console.warn(`${maven} is not there: the import of its four files by the wizard is not tested.`)

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

/** Rehearses, runs and waits for the end. */
async function carryOut(page: Page, lines: number): Promise<void> {
  await page.getByRole('button', { name: 'Rehearse' }).click()
  const timeout = 300_000
  await page.getByRole('heading', { name: 'What the import would do' }).waitFor({ timeout })
  await page.getByRole('button', { name: new RegExp(`^Import ${lines.toLocaleString('en')} lines$`) }).click()
  await page.getByRole('heading', { name: 'Import finished' }).waitFor({ timeout })
  const counts = `${lines.toLocaleString('en')} created, nothing updated, nothing refused.`
  await page.getByText(counts).first().waitFor()
}

async function accept(page: Page, column: string, becomes: Readonly<Record<string, string>>): Promise<void> {
  for (const [from, to] of Object.entries(becomes)) {
    const field = page.getByLabel(`“${from}” becomes`)
    await field.fill(to)
    await field.press('Tab')
  }
  await page.getByLabel(`“${column}” goes to`).waitFor()
}

async function send(page: Page, path: string, name: string): Promise<void> {
  await page.goto(new URL(path, page.url()).href)
  await upload(page, { name: `${name}.csv`, mimeType: 'text/csv', buffer: await readFile(join(maven, `${name}.csv`)) })
}

interface Figures {
  readonly count: number
  readonly [sum: string]: unknown
}

test.skipIf(!isThere)(
  'the four files of the hardware seller come in through the wizard',
  { timeout: 900_000 },
  async () => {
    await using claire = await visit('/accounts/import')
    const { page, api } = claire
    const figures = async (path: string, filter: string, measures: readonly string[]) =>
      (await api.post<{ data: Figures[] }>(`${path}/aggregate`, { filter, measures })).data[0]

    await send(page, '/accounts/import', 'accounts')
    await page.getByText('85 lines').first().waitFor()
    await target(page, 'account').selectOption({ label: 'Name *' })
    for (const value of ['technolgy', 'Philipines'])
      await page.getByRole('button', { name: new RegExp(`^Accept .* for “${value}”$`) }).click()
    // Which Korea it is, only a person can say.
    await accept(page, 'account', { Korea: 'KR' })
    await carryOut(page, 85)
    const ofFile = 'sourceChannel = "import" and createdAt within last 1 days and foundedYear >= 1979'
    const accounts = await figures('/api/core/accounts', ofFile, ['count', 'sum:employees'])
    expect(accounts).toMatchObject({ count: 85, 'sum:employees': '396170' })
    expect(await figures('/api/core/accounts', `${ofFile} and not parent is empty`, ['count'])).toMatchObject({
      count: 15,
    })
    const [acme] = await accountsNamed(api, 'Acme Corporation')
    expect(acme).toMatchObject({ industry: 'technology', employees: 2822, foundedYear: 1996, country: 'US' })

    await send(page, '/products/import', 'products')
    await carryOut(page, 7)

    await send(page, '/users/import', 'sales_teams')
    for (const label of await page.getByLabel('create when absent').all()) await label.check()
    await carryOut(page, 35)
    const teams = (await api.get<{ data: { name: string; members: string[] }[] }>('/api/core/teams')).data
    const sizes = Object.fromEntries(teams.map((it) => [it.name, it.members.length]))
    expect(sizes).toMatchObject({ Central: 11, East: 12, West: 12 })

    await send(page, '/sales/opportunities/import', 'sales_pipeline')
    await target(page, 'close_date').selectOption('closedOn')
    await page.getByRole('button', { name: /^Accept .GTX Pro. for .GTXPro.$/ }).click()
    for (const [from, to] of [
      ['Prospecting', 'Qualification'],
      ['Engaging', 'Proposal'],
    ] as const)
      await accept(page, 'deal_stage', { [from]: to })
    await carryOut(page, 8_800)
    const sums = await figures(
      '/api/sales/opportunities',
      'stage.name = "Won" and closedOn >= 2017-03-01 and closedOn <= 2017-12-31',
      ['count', 'sum:amount'],
    )
    expect(sums).toMatchObject({ count: 4_238 })
    expect(Number(sums?.['sum:amount'])).toBe(10_005_534)
  },
)

test('a mapping is kept as a recipe, a run is rolled back, and a list is carried out', async () => {
  await using claire = await visit('/accounts/import')
  const { page, api } = claire
  const name = uniqueName('Recipe')
  const file = (letter: string) => ({
    name: 'fair.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(`Stand;Place of ${name}\n${name} ${letter};Lyon\n`),
  })
  await upload(page, file('A'))
  await target(page, 'Stand').selectOption({ label: 'Name *' })
  await target(page, `Place of ${name}`).selectOption({ label: 'City' })
  await page.getByRole('button', { name: 'Save as recipe' }).click()
  await page.getByLabel('Name of the recipe').fill(`Fair ${name}`)
  await page.getByRole('button', { name: 'Save recipe' }).click()
  await page.getByRole('combobox', { name: 'Recipe', exact: true }).waitFor()

  await page.goto(new URL('/accounts/import', page.url()).href)
  await upload(page, file('B'))
  await page.getByRole('combobox', { name: 'Recipe', exact: true }).selectOption({ label: `Fair ${name}` })
  await page.getByRole('heading', { name: '2 of 2 columns will be imported' }).waitFor()
  await page.getByRole('button', { name: 'Rehearse' }).click()
  await page.getByRole('button', { name: 'Import 1 line' }).click()
  await page.getByRole('heading', { name: 'Import finished' }).waitFor({ timeout: 60_000 })
  expect(await accountsNamed(api, name)).toHaveLength(1)

  await page.getByRole('link', { name: 'Open Accounts' }).click()
  await page.getByRole('grid', { name: 'Accounts' }).waitFor()
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Export…' }).click()
  await page.getByRole('radio', { name: 'Excel' }).check()
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const coming = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download' }).click({ timeout: 60_000 })
  expect((await coming).suggestedFilename()).toMatch(/\.xlsx$/)

  await page.goto(new URL('/accounts/import', page.url()).href)
  await page.getByRole('link', { name: 'fair.csv' }).first().click()
  await page.getByRole('button', { name: 'Roll back' }).click()
  await page.locator('socle-dialog').getByRole('button', { name: 'Roll back' }).click()
  await page.getByRole('heading', { name: 'The import is rolled back' }).waitFor({ timeout: 60_000 })
  expect(await accountsNamed(api, name)).toEqual([])
})

test('lines that have the key of a record update it, and others are made', async () => {
  await using claire = await visit('/accounts/import')
  const { page, api } = claire
  const name = uniqueName('Keyed')
  const known = await api.create('/api/core/accounts', { name: `${name} A`, city: 'Lyon', industry: 'Silk' })
  // Called like the first, it would be held for a duplicate.
  const other = uniqueName('Apart')
  const lines = ['Name;City', `${name} A;Nantes`, `${other};Lille`]
  await upload(page, { name: 'keyed.csv', mimeType: 'text/csv', buffer: Buffer.from(lines.join('\r\n')) })
  await page.getByRole('combobox', { name: 'Update records that have the same' }).selectOption({ label: 'Name' })
  await page.getByRole('button', { name: 'Rehearse' }).click()
  await page.getByRole('heading', { name: 'What the import would do' }).waitFor()
  await page.getByRole('button', { name: 'Import 2 lines' }).click()
  await page.getByRole('heading', { name: 'Import finished' }).waitFor()
  await page.getByText('1 created, 1 updated, nothing refused.').first().waitFor()
  expect(await api.record('/api/core/accounts', known.id)).toMatchObject({ city: 'Nantes', industry: 'Silk' })
  expect((await accountsNamed(api, other)).map((it) => it['city'])).toEqual(['Lille'])
})

test('a file with a company’s legal name alone names it by that, too', async () => {
  await using camille = await visit('/accounts/import', { as: 'camille' })
  const { page, api } = camille
  const name = uniqueName('Raison')
  const lines = ['Raison sociale;Ville', `${name} SARL;Lyon`]
  await page.getByLabel('Déposez un fichier ici').setInputFiles({
    name: 'societes.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(lines.join('\r\n')),
  })
  await page.getByRole('button', { name: 'Simuler' }).click()
  await page.getByRole('button', { name: 'Importer 1 ligne' }).click()
  await eventually(async () => (await accountsNamed(api, name)).map((it) => [it['name'], it['legalName']])).toEqual([
    [`${name} SARL`, `${name} SARL`],
  ])
})
