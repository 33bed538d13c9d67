import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { eventually, isFocused, uniqueName, visit } from './browser.ts'
import type { Api, Stored } from './browser.ts'

interface Figure {
  readonly key: { readonly stage: string }
  readonly count: number
  readonly 'sum:amount': string
}

async function stagesOf(api: Api): Promise<ReadonlyMap<string, string>> {
  const { data } = await api.get<{ data: Stored[] }>('/api/sales/stages?sort=position')
  return new Map(data.map((it) => [String(it['name']), it.id]))
}

/** An opportunity alone on a board that shows only its own name. */
async function boardOf(api: Api, stage: string): Promise<{ opportunity: Stored; name: string; address: string }> {
  const stages = await stagesOf(api)
  const name = uniqueName('Board')
  const { data: accounts } = await api.get<{ data: Stored[] }>('/api/core/accounts?limit=1')
  const opportunity = await api.create('/api/sales/opportunities', {
    name,
    account: accounts[0]?.id,
    amount: '40095',
    stage: stages.get(stage),
  })
  return {
    opportunity,
    name,
    address: `/sales/opportunities?${new URLSearchParams({ view: 'kanban', filter: `name = "${name}"` })}`,
  }
}

const column = (page: Page, title: string): Locator => page.getByRole('region', { name: new RegExp(`^${title}, `) })
const cardIn = (page: Page, title: string, name: string): Locator =>
  column(page, title).getByRole('listitem', { name: new RegExp(`^${name}`) })

async function stageOf(api: Api, opportunity: Stored): Promise<unknown> {
  return (await api.record('/api/sales/opportunities', opportunity.id))['stage']
}

test('counts and sums in the heads are the ones the API answers', async () => {
  await using claire = await visit('/sales/opportunities?view=kanban')
  const { page, api } = claire
  const stages = await stagesOf(api)
  const { data } = await api.post<{ data: Figure[] }>('/api/sales/opportunities/aggregate', {
    groupBy: ['stage'],
    measures: ['count', 'sum:amount'],
  })
  expect(data.length).toBeGreaterThan(3)
  for (const [title, id] of stages) {
    const figure = data.find((it) => it.key.stage === id)
    if (!figure) continue
    const words = await column(page, title).getAttribute('aria-label')
    expect(words).toContain(`${figure.count.toLocaleString('en')} card`)
    const shown = Number(words?.split(', ').slice(2).join(', ').replaceAll(/[^\d]/g, ''))
    expect(shown).toBe(Math.round(Number(figure['sum:amount'])))
  }
})

test('a head leads to the rows behind its sum', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const { address, name } = await boardOf(api, 'Proposal')
  await page.goto(address)
  await column(page, 'Proposal')
    .getByRole('link', { name: /^Proposal/ })
    .click()
  await page.getByRole('grid', { name: 'Opportunities' }).getByRole('rowheader', { name }).waitFor()
})

test('Space lifts a card, arrows carry it, Enter drops it, and the live region says both places', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const { opportunity, name, address } = await boardOf(api, 'Qualification')
  const stages = await stagesOf(api)
  await page.goto(address)
  const card = cardIn(page, 'Qualification', name)
  await card.focus()
  await page.keyboard.press('Space')
  await page
    .getByRole('alert')
    .filter({ hasText: `${name} lifted from Qualification` })
    .waitFor()
  await page.keyboard.press('ArrowRight')
  await page
    .getByRole('alert')
    .filter({ hasText: `${name} over Proposal` })
    .waitFor()
  await page.keyboard.press('ArrowRight')
  await page
    .getByRole('alert')
    .filter({ hasText: `${name} over Negotiation` })
    .waitFor()
  await page.keyboard.press('Enter')
  await page
    .getByRole('alert')
    .filter({ hasText: `${name} moved from Qualification to Negotiation` })
    .waitFor()
  await eventually(() => stageOf(api, opportunity)).toBe(stages.get('Negotiation'))
  await eventually(() => isFocused(cardIn(page, 'Negotiation', name))).toBe(true)
  await eventually(() => column(page, 'Negotiation').getAttribute('aria-label')).toContain('40,095')
})

test('Esc puts a lifted card back', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const { opportunity, name, address } = await boardOf(api, 'Qualification')
  const stages = await stagesOf(api)
  await page.goto(address)
  await cardIn(page, 'Qualification', name).focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowRight')
  await cardIn(page, 'Proposal', name).waitFor()
  await page.keyboard.press('Escape')
  await page
    .getByRole('alert')
    .filter({ hasText: `${name} is back in Qualification` })
    .waitFor()
  await cardIn(page, 'Qualification', name).waitFor()
  expect(await stageOf(api, opportunity)).toBe(stages.get('Qualification'))
})

test('losing asks for a reason: giving up returns the card, a reason lets it through', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const { opportunity, name, address } = await boardOf(api, 'Negotiation')
  const stages = await stagesOf(api)
  await page.goto(address)
  const lose = async () => {
    await cardIn(page, 'Negotiation', name).focus()
    await page.keyboard.press('m')
    await page.getByRole('menuitemradio', { name: 'Lost' }).click()
    await page.getByRole('dialog', { name: 'Something is missing for this move' }).waitFor()
  }
  await lose()
  await page
    .getByRole('note')
    .filter({ hasText: `Say why "${name}" is lost` })
    .waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await cardIn(page, 'Negotiation', name).waitFor()
  expect(await stageOf(api, opportunity)).toBe(stages.get('Negotiation'))

  await lose()
  await page.getByRole('combobox', { name: 'Reason' }).click()
  await page.getByRole('option', { name: 'No budget' }).click()
  await page.getByRole('button', { name: 'Save and move' }).click()
  await cardIn(page, 'Lost', name).waitFor()
  await eventually(() => stageOf(api, opportunity)).toBe(stages.get('Lost'))
})

test('on a phone one column is in view and the card goes on with its menu', async () => {
  await using claire = await visit('/', { size: { width: 320, height: 640 } })
  const { page, api } = claire
  const { opportunity, name, address } = await boardOf(api, 'Qualification')
  const stages = await stagesOf(api)
  await page.goto(address)
  await page
    .getByRole('listitem')
    .filter({ hasText: name })
    .getByRole('button', { name: /^Move to/ })
    .click()
  await page
    .getByRole('menuitemradio', { name: 'Proposal' })
    .or(page.getByRole('menuitem', { name: 'Proposal' }))
    .click()
  await eventually(() => stageOf(api, opportunity)).toBe(stages.get('Proposal'))
})
