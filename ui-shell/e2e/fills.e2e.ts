import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, visit } from './browser.ts'
import { startCompany, type Company } from './company.ts'

let at: Company
let end: () => Promise<void>

beforeAll(async () => {
  ;({ company: at, end } = await startCompany('ui-shell/e2e/broken-company.ts'))
})
afterAll(() => end())

const card = (page: Page, plugin: string) => page.getByRole('group', { name: `${plugin} could not show its part` })

test('platform-13: parts that throw or never come are cards with their plugin’s name, and the good part works beside them', async () => {
  await using claire = await visit('/', { at })
  const { page, complaints } = claire
  const good = page.getByRole('region', { name: 'Open pipeline' })
  // The good one does not wait for the others.
  await good.locator('[data-tag=sales-pipeline-widget]').getByText('€').first().waitFor()
  await eventually(() => card(page, 'Broken render').count()).toBe(3)
  await eventually(() => card(page, 'Broken hang').count()).toBe(2)
  const texts = await page.getByRole('group', { name: /could not show its part/ }).allInnerTexts()
  for (const [fill, code] of [
    ['broken-render.module', 'FILL_NOT_LOADED'],
    ['broken-render.first', 'FILL_THREW'],
    ['broken-render.later', 'FILL_THREW'],
    ['broken-hang.module', 'FILL_TIMED_OUT'],
    ['broken-hang.blank', 'FILL_EMPTY'],
  ])
    expect(texts.join('\n')).toContain(`${fill} · ${code}`)
  expect(await good.isVisible()).toBe(true)
  const isFrozen = (element: Element) => Object.isFrozen((element as Element & { context: unknown }).context)
  expect(await good.locator('[data-tag=sales-pipeline-widget]').evaluate(isFrozen)).toBe(true)
  await good.getByRole('link').first().click()
  await page.getByRole('heading', { level: 1, name: 'Opportunities' }).waitFor()
  expect(complaints.filter((it) => /^(error|uncaught|content policy)/.test(it))).toEqual([])
})

test('the card of a part that failed tries again, and switches its plugin off after saying what that breaks', async () => {
  await using claire = await visit('/', { at })
  const { page } = claire
  const first = card(page, 'Broken render').filter({ hasText: 'broken-render.first' })
  await first.waitFor()
  await first.getByRole('button', { name: 'Retry' }).click()
  await first.waitFor()
  await first.getByRole('button', { name: 'Switch off' }).click()
  await page.getByRole('dialog', { name: 'Switch off Broken render?' }).waitFor()
  const dialog = page.locator('socle-dialog')
  await dialog.getByText('All data is kept').waitFor()
  await dialog.getByRole('button', { name: 'Switch off' }).click()
  await eventually(() => card(page, 'Broken render').count()).toBe(0)
  await page.getByRole('region', { name: 'Open pipeline' }).waitFor()
  await eventually(() => card(page, 'Broken hang').count()).toBe(2)
})
