import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, uniqueName, visit, type Visit } from './browser.ts'
import { startCompany, type Company } from './company.ts'

let at: Company
let end: () => Promise<void>

beforeAll(async () => {
  ;({ company: at, end } = await startCompany('ui-shell/e2e/parts-company.ts'))
})
afterAll(() => end())

/** What would give away a module of which a workspace knows nothing: its id, its title, or the name of something it brings. */
const traces = {
  sales: /\bsales\b|opportunit|pipeline/i,
  briefing: /\bbriefing\b/i,
  twoVersions: /two-versions|two versions|older (counter|widget)/i,
}
const hello = /\bhello\b|greeting/i

/** All the platform tells one person about what there is, by where it tells it. */
async function told({ api, context }: Visit): Promise<Record<string, string>> {
  const paths = [
    '/api/core/shell',
    '/api/core/openapi.json',
    '/api/core/permissions',
    '/api/core/roles?limit=200',
    '/api/core/events/subscribers',
    '/api/core/search?q=pipeline',
  ]
  const answers = await Promise.all(paths.map(async (path) => [path, JSON.stringify(await api.get(path))] as const))
  const reference = await context.request.get('/api/core/reference')
  return { ...Object.fromEntries(answers), '/api/core/reference': await reference.text() }
}

async function foundBy(page: Page, text: string): Promise<string> {
  await page.bringToFront()
  const box = page.getByRole('combobox', { name: 'Find or do anything' })
  await eventually(async () => {
    if (!(await box.isVisible())) await page.keyboard.press('Control+k')
    return box.isVisible()
  }).toBe(true)
  await box.fill(text)
  const list = page.getByRole('listbox', { name: 'Results' })
  await eventually(() => list.getAttribute('aria-busy')).not.toBe('true')
  const options = await list.getByRole('option').allInnerTexts()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await box.waitFor({ state: 'detached' })
  return options.join('\n')
}

test('platform-01: a fresh workspace has no trace of modules it did not choose, and one it chooses is all there in an open tab', async () => {
  // A session of its own: it goes to the new workspace.
  await using claire = await visit('/', { at, as: 'nobody', locale: 'en-GB' })
  const { page, api } = claire
  const { email, password } = at.admin
  await api.post('/api/auth/sign-in/email', { email, password })
  const opened = await api.post<{ data: { id: string } }>('/api/core/workspaces', {
    name: uniqueName('Atelier'),
    locale: 'en',
    zone: 'Europe/Paris',
    baseCurrency: 'EUR',
  })
  await api.post('/api/core/me/workspace', { workspace: opened.data.id })
  for (const id of ['hello', 'loyalty']) await api.post(`/api/core/plugins/${id}/enable`, {})
  expect(await api.get('/api/core/demo')).toEqual({ data: { present: false } })

  for (const [path, text] of Object.entries(await told(claire)))
    for (const [id, trace] of Object.entries(traces)) expect(text.match(trace)?.[0], `${id} in ${path}`).toBeUndefined()
  expect((await told(claire))['/api/core/shell']).toMatch(hello)

  await page.goto('/')
  await page.getByRole('heading', { level: 1, name: /^Hello/ }).waitFor()
  await page.evaluate(() => Object.assign(window, { sameDocument: true }))
  const nav = page.getByRole('navigation', { name: 'Main navigation' })
  await nav.getByRole('link', { name: 'Wall' }).waitFor()
  const { data: roles } = await api.get<{ data: { id: string; name: string }[] }>('/api/core/roles?limit=200')
  const editor = await claire.tab(`/settings/roles/${roles[0]?.id}`)
  await editor.evaluate(() => Object.assign(window, { sameDocument: true }))
  await editor.getByRole('main').getByRole('heading', { level: 2, name: 'Hello' }).waitFor()
  const shown = async (it: Page) => `${await it.locator('body').innerText()}\n${await nav.innerText()}`
  for (const trace of Object.values(traces))
    for (const it of [page, editor]) expect((await shown(it)).match(trace)?.[0]).toBeUndefined()
  for (const text of ['opportunities', 'pipeline', 'briefing', 'counter']) {
    const found = await foundBy(page, text)
    for (const trace of Object.values(traces)) expect(found.replaceAll(text, ''), text).not.toMatch(trace)
  }
  expect(await foundBy(page, 'greetings')).toMatch(hello)

  await api.post('/api/core/plugins/sales/enable', {})
  await nav.getByRole('link', { name: 'Opportunities' }).waitFor()
  await page.getByRole('region', { name: 'Open pipeline' }).waitFor()
  expect(await foundBy(page, 'opportunities')).toContain('Opportunities')
  await editor.getByRole('main').getByRole('heading', { level: 2, name: 'Sales' }).waitFor()
  const now = await told(claire)
  expect(now['/api/core/openapi.json']).toContain('/api/sales/opportunities')
  expect(now['/api/core/reference']).toContain('/api/sales/opportunities')
  expect(now['/api/core/permissions']).toContain('sales.opportunity')
  expect(now['/api/core/roles?limit=200']).toContain('Sales')
  expect(now['/api/core/events/subscribers']).toContain('sales')
  for (const [path, text] of Object.entries(now))
    for (const trace of [traces.briefing, traces.twoVersions]) expect(text.match(trace)?.[0], path).toBeUndefined()
  await api.create('/api/sales/opportunities', { name: uniqueName('First') })
  await eventually(async () => (await foundBy(page, 'First')).includes('First')).toBe(true)
  for (const it of [page, editor]) expect(await it.evaluate(() => 'sameDocument' in window)).toBe(true)
})
