import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { eventually, isFocused, toast, uniqueName, visit } from './browser.ts'
import type { Api, Stored, Visit } from './browser.ts'

const accounts = '/api/core/accounts'

/** An account that two people have before them. */
async function shared(api: Api, values: Readonly<Record<string, unknown>> = {}): Promise<{ id: string; name: string }> {
  const name = uniqueName('Shared')
  const { id } = await api.create(accounts, { name, annualRevenue: '1000', industry: 'Wood', ...values })
  return { id, name }
}

const question = (page: Page, name: string): Locator =>
  page.getByRole('alertdialog', { name: `Two changes to ${name}` })
const revenueOf = async (api: Api, id: string): Promise<number> =>
  Number((await api.record(accounts, id))['annualRevenue'])

/** Camille saves a value on her screen, in her language. */
async function camilleSets(camille: Visit, id: string, field: string, value: string): Promise<void> {
  const { page, api } = camille
  const before = await api.record(accounts, id)
  if (!page.url().endsWith(id)) await page.goto(`/accounts/${id}`)
  await page.getByRole('button', { name: `Modifier ${field}` }).click()
  await page.getByRole('textbox', { name: field }).fill(value)
  await page.keyboard.press('Enter')
  await eventually(async () => (await api.record(accounts, id)).version).toBe(before.version + 1)
}

async function startRevenue(page: Page, value: string): Promise<Locator> {
  await page.getByRole('button', { name: 'Change Annual revenue' }).click()
  const revenue = page.getByRole('textbox', { name: 'Annual revenue' })
  await revenue.fill(value)
  return revenue
}

test('core-08: one changes the revenue, the other the industry: both are kept, and the second is told', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const { id } = await shared(api)
  await page.goto(`/accounts/${id}`)
  const revenue = await startRevenue(page, '2500')
  await camilleSets(camille, id, 'Secteur', 'Pierre')
  await revenue.press('Enter')
  await toast(page, 'Somebody else changed other fields meanwhile; both are kept.').waitFor()
  expect(await api.record(accounts, id)).toMatchObject({ annualRevenue: '2500.0000', industry: 'Pierre', version: 3 })
  await page.getByRole('definition').filter({ hasText: 'Pierre' }).waitFor()
  await camille.page.getByRole('definition').filter({ hasText: '2 500' }).waitFor()
})

test('core-08: both change the revenue on the page: three values stand side by side, and each answer does what it says', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const { id, name } = await shared(api)
  await page.goto(`/accounts/${id}`)
  const revenue = await startRevenue(page, '2500')
  await camilleSets(camille, id, 'Chiffre d’affaires annuel', '4000')

  // Closed without an answer: nothing is written, and what was typed is still typed.
  await revenue.press('Enter')
  await question(page, name).waitFor()
  const group = page.getByRole('group', { name: 'Annual revenue' })
  for (const value of ['€2,500.00', '€4,000.00', '€1,000.00']) await group.getByText(value, { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('alert').filter({ hasText: 'Somebody else changed this meanwhile' }).waitFor()
  expect(await revenue.inputValue()).toBe('2500')
  expect(await revenueOf(api, id)).toBe(4000)

  await revenue.press('Enter')
  await question(page, name).waitFor()
  await page.getByRole('button', { name: 'Keep mine' }).click()
  await eventually(() => revenueOf(api, id)).toBe(2500)
  await page.getByRole('definition').filter({ hasText: '€2,500.00' }).waitFor()
  await camille.page.getByRole('definition').filter({ hasText: '2 500' }).waitFor()
})

test('core-08: in the panel beside the list, by keyboard: theirs stands and nothing is written', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const { id, name } = await shared(api)
  await page.goto(`/accounts?${new URLSearchParams({ filter: `name = "${name}"`, peek: id })}`)
  await page.getByRole('complementary', { name }).waitFor()
  const revenue = await startRevenue(page, '2500')
  await camilleSets(camille, id, 'Chiffre d’affaires annuel', '4000')
  await revenue.press('Enter')
  await question(page, name).waitFor()
  await eventually(() => isFocused(page.getByRole('radio', { name: 'Mine' }))).toBe(true)
  await page.keyboard.press('ArrowDown')
  expect(await page.getByRole('radio', { name: 'Theirs' }).isChecked()).toBe(true)
  await page.getByRole('button', { name: 'Save these choices' }).press('Enter')
  await toast(page, 'Their values stand; nothing was written.').waitFor()
  expect(await api.record(accounts, id)).toMatchObject({ annualRevenue: '4000.0000', version: 2 })
  await page.getByRole('definition').filter({ hasText: '€4,000.00' }).waitFor()
})

test('core-08: in a table’s cell: mine is written over, theirs is taken, other fields merge', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const { id, name } = await shared(api)
  await page.goto(
    `/accounts?${new URLSearchParams({ filter: `name = "${name}"`, columns: 'name,annualRevenue,industry' })}`,
  )
  const grid = page.getByRole('grid', { name: 'Accounts' })
  const cell = (text: string) => grid.getByRole('gridcell').filter({ hasText: text })
  const revenue = grid.getByRole('textbox', { name: 'Annual revenue' })
  const type = async (value: string) => {
    await grid.getByRole('row').filter({ hasText: name }).focus()
    await page.keyboard.press('e')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await revenue.fill(value)
  }

  await type('2500')
  await camilleSets(camille, id, 'Chiffre d’affaires annuel', '4000')
  await revenue.press('Enter')
  await question(page, name).waitFor()
  await page.getByRole('button', { name: 'Take theirs' }).click()
  await toast(page, 'Their values stand').waitFor()
  await cell('€4,000').waitFor()
  expect(await api.record(accounts, id)).toMatchObject({ annualRevenue: '4000.0000', version: 2 })

  await type('5000')
  await camilleSets(camille, id, 'Chiffre d’affaires annuel', '6000')
  await revenue.press('Enter')
  await question(page, name).waitFor()
  await page.getByRole('button', { name: 'Keep mine' }).click()
  await eventually(() => revenueOf(api, id)).toBe(5000)
  await cell('€5,000').waitFor()

  await type('7000')
  await camilleSets(camille, id, 'Secteur', 'Pierre')
  await revenue.press('Enter')
  await toast(page, 'both are kept').waitFor()
  await cell('€7,000').waitFor()
  await cell('Pierre').waitFor()
  expect(await api.record(accounts, id)).toMatchObject({ annualRevenue: '7000.0000', industry: 'Pierre' })
})

/** An opportunity alone on a board, and how both people see it. */
async function onBoard(claire: Visit) {
  const { api, page } = claire
  const { data } = await api.get<{ data: Stored[] }>('/api/sales/stages?sort=position')
  const stages = new Map(data.map((it) => [String(it['name']), it.id]))
  const name = uniqueName('Moved')
  const [account] = (await api.get<{ data: Stored[] }>(`${accounts}?limit=1`)).data
  const values = { name, account: account?.id, amount: '500', stage: stages.get('Qualification') }
  const { id } = await api.create('/api/sales/opportunities', values)
  await page.goto(`/sales/opportunities?${new URLSearchParams({ view: 'kanban', filter: `name = "${name}"` })}`)
  const cardIn = (title: string) =>
    page
      .getByRole('region', { name: new RegExp(`^${title}, `) })
      .getByRole('listitem', { name: new RegExp(`^${name}`) })
  const stage = async () => (await api.record('/api/sales/opportunities', id))['stage']
  return { id, name, stages, cardIn, stage }
}

async function movesTo(camille: Visit, id: string, stage: string | undefined): Promise<void> {
  const { version } = await camille.api.record('/api/sales/opportunities', id)
  await camille.api.patch(`/api/sales/opportunities/${id}`, { stage, version })
}

test('core-08: two move one card: the one who drops it second is asked, theirs lets it lie, mine carries it on', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page } = claire
  const { id, name, stages, cardIn, stage } = await onBoard(claire)
  const choice = page.getByRole('group', { name: 'Stage' })
  const lift = async (title: string) => {
    await cardIn(title).focus()
    await page.keyboard.press('Space')
    await page
      .getByRole('alert')
      .filter({ hasText: `${name} lifted from ${title}` })
      .waitFor()
  }
  const carryTo = async (title: string, key: string) => {
    await page.keyboard.press(key)
    await page
      .getByRole('alert')
      .filter({ hasText: `${name} over ${title}` })
      .waitFor()
  }

  // The board has the news of Camille's move while the card is in the air; it was lifted before all the same.
  await lift('Qualification')
  await carryTo('Proposal', 'ArrowRight')
  await movesTo(camille, id, stages.get('Negotiation'))
  await page.waitForResponse((it) => it.url().endsWith('/board') && it.ok())
  await page.keyboard.press('Enter')
  await question(page, name).waitFor()
  for (const title of ['Proposal', 'Negotiation', 'Qualification'])
    await choice.getByText(title, { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Take theirs' }).click()
  await toast(page, 'Their values stand').waitFor()
  await cardIn('Negotiation').waitFor()
  expect(await cardIn('Proposal').count()).toBe(0)
  expect(await stage()).toBe(stages.get('Negotiation'))

  await lift('Negotiation')
  await movesTo(camille, id, stages.get('Qualification'))
  await page.waitForResponse((it) => it.url().endsWith('/board') && it.ok())
  await carryTo('Proposal', 'ArrowLeft')
  await page.keyboard.press('Enter')
  await question(page, name).waitFor()
  await page.getByRole('button', { name: 'Keep mine' }).click()
  await eventually(stage).toBe(stages.get('Proposal'))
  await cardIn('Proposal').waitFor()
})

test('core-08: a dialog that asks for more is answered while the card moves elsewhere: the choice carries its reason along', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const { id, name, stages, cardIn, stage } = await onBoard(claire)
  await cardIn('Qualification').focus()
  await page.keyboard.press('m')
  await page.getByRole('menuitemradio', { name: 'Lost' }).click()
  await page.getByRole('dialog', { name: 'Something is missing for this move' }).waitFor()
  await movesTo(camille, id, stages.get('Proposal'))
  await page.getByRole('combobox', { name: 'Reason' }).click()
  await page.getByRole('option', { name: 'No budget' }).click()
  await page.getByRole('button', { name: 'Save and move' }).click()
  await question(page, name).waitFor()
  await page.getByRole('button', { name: 'Keep mine' }).click()
  await eventually(stage).toBe(stages.get('Lost'))
  expect((await api.record('/api/sales/opportunities', id))['lostReason']).not.toBeNull()
  await cardIn('Lost').waitFor()
})

test('core-08: of several changed at once the one somebody else changed is refused by name, and trying again writes it', async () => {
  await using claire = await visit('/')
  await using camille = await visit('/', { as: 'camille' })
  const { page, api } = claire
  const { id, name } = await shared(api)
  const other = await api.create(accounts, {
    ...{ name: `${name} two`, annualRevenue: '1000', industry: 'Wood', allowDuplicate: true },
  })
  await page.goto(`/accounts?${new URLSearchParams({ filter: `name ~ "${name}"` })}`)
  await page
    .getByRole('row')
    .filter({ hasText: `${name} two` })
    .waitFor()
  await page.getByRole('grid').getByRole('checkbox').first().check()
  await page.getByRole('button', { name: 'Set a field', exact: true }).click()
  await page.getByRole('combobox', { name: 'Field' }).selectOption({ label: 'Annual revenue' })
  await page.getByRole('textbox', { name: 'Annual revenue' }).fill('9000')
  await camilleSets(camille, id, 'Chiffre d’affaires annuel', '4000')
  await camille.api.patch(`${accounts}/${other.id}`, { industry: 'Stone', version: other.version })
  await page.getByRole('button', { name: 'Change 2 records' }).click()
  await page.getByText('1 record was refused').waitFor()
  await page.getByRole('list', { name: '1 record was refused:' }).getByRole('link', { name, exact: true }).waitFor()
  expect(await revenueOf(api, id)).toBe(4000)
  expect(await api.record(accounts, other.id)).toMatchObject({ annualRevenue: '9000.0000', industry: 'Stone' })
  await page.getByRole('button', { name: 'Try 1 again' }).click()
  await eventually(() => revenueOf(api, id)).toBe(9000)
})

test('two administrators keep what each changed of the settings, and of one setting the second is told, with what is typed', async () => {
  await using claire = await visit('/settings/workspace')
  const { page, api } = claire
  const { data: before } = await api.get<{ data: Stored }>('/api/core/workspace')
  const settings = async () => (await api.get<{ data: Stored }>('/api/core/workspace')).data
  try {
    // Somebody else, meanwhile.
    await api.patch('/api/core/workspace', { zone: 'Indian/Reunion' })
    await page.getByLabel('The fiscal year begins in').selectOption('4')
    await page.getByRole('button', { name: 'Save', exact: true }).first().click()
    await eventually(async () => (await settings())['fiscalMonth']).toBe(4)
    expect(await settings()).toMatchObject({ zone: 'Indian/Reunion', fiscalMonth: 4 })

    await api.patch('/api/core/workspace', { fiscalMonth: 7, zone: 'Europe/Paris' })
    await page.getByLabel('The fiscal year begins in').selectOption('10')
    await page.getByRole('button', { name: 'Save', exact: true }).first().click()
    await page.getByText('Somebody else saved this meanwhile').waitFor()
    expect(await settings()).toMatchObject({ fiscalMonth: 7 })
    await page.getByRole('button', { name: 'Read theirs' }).click()
    await page.getByText('Somebody else saved this meanwhile').waitFor({ state: 'detached' })
    expect(await page.getByLabel('The fiscal year begins in').inputValue()).toBe('10')
    expect(await page.getByLabel('Time zone').inputValue()).toBe('Europe/Paris')
    await page.getByRole('button', { name: 'Save', exact: true }).first().click()
    await eventually(async () => (await settings())['fiscalMonth']).toBe(10)
  } finally {
    await api.patch('/api/core/workspace', { fiscalMonth: before['fiscalMonth'], zone: before['zone'] })
  }
})

test('to keep the history or events for less is asked first, with what goes, and not doing it has the focus', async () => {
  await using claire = await visit('/settings/workspace')
  const { page, api } = claire
  const settings = async () => (await api.get<{ data: Stored }>('/api/core/workspace')).data
  const { ledgerMonths, eventDays } = await settings()
  await api.patch('/api/core/workspace', { ledgerMonths: 60, eventDays: 365 })
  try {
    await page.reload()
    await page.getByLabel('Keep the history of changes for').selectOption('24')
    await page.getByLabel('Keep events for').selectOption('90')
    const save = page.getByRole('button', { name: 'Save', exact: true }).first()
    await save.click()
    const asked = page.getByRole('alertdialog', { name: 'Keep less, and delete what is older?' })
    await asked.waitFor()
    await page.getByText('all changes older than 24 months').waitFor()
    await page.getByText('all events older than 90 days').waitFor()
    await eventually(() => isFocused(page.getByRole('button', { name: 'Cancel' }))).toBe(true)
    await page.keyboard.press('Enter')
    await asked.waitFor({ state: 'detached' })
    expect(await settings()).toMatchObject({ ledgerMonths: 60, eventDays: 365 })
    await save.click()
    await page.getByRole('button', { name: 'Keep less' }).click()
    await toast(page, 'Saved').waitFor()
    expect(await settings()).toMatchObject({ ledgerMonths: 24, eventDays: 90 })

    // More is nobody's loss.
    await page.getByLabel('Keep events for').selectOption('730')
    await save.click()
    await eventually(settings).toMatchObject({ eventDays: 730 })
  } finally {
    await api.patch('/api/core/workspace', { ledgerMonths, eventDays })
  }
})
