import { expect, test } from 'vitest'
import { eventually, isFocused, toast, uniqueName, visit } from './browser.ts'
import type { Api } from './browser.ts'

/** A field of formatted text that only this test knows, made over the API. */
async function richField(api: Api): Promise<{ name: string; label: string }> {
  const suffix = String(Date.now())
  const [name, label] = [`story${suffix}`, `Story ${suffix}`]
  const field = { resource: 'core.account', name, type: 'rich', labelEn: label, labelFr: `Histoire ${suffix}` }
  await api.post('/api/core/fields', field)
  return { name, label }
}

test('formatted text is written in place by keyboard, kept as the server cleans it, shown formed on the page and plain in a list', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const { name, label } = await richField(api)
  const account = await api.create('/api/core/accounts', { name: uniqueName('Rich') })
  const stored = async () => (await api.record('/api/core/accounts', account.id))[name]
  await page.goto(`/accounts/${account.id}`)
  const all = page.getByRole('button', { name: /more empty fields?$/ })
  const fill = page.getByRole('button', { name: `Fill in ${label}` })
  await all.or(fill).first().waitFor()
  if (await all.isVisible()) await all.click()
  await fill.click()
  const text = page.getByRole('textbox', { name: label })
  await eventually(() => isFocused(text)).toBe(true)
  await page.keyboard.type('They called ')
  await page.keyboard.press('Control+b')
  await page.keyboard.type('us')
  await page.keyboard.press('Control+b')
  await page.keyboard.press('Enter')

  // The tools are one stop: Alt+F10 leads there, arrows go on, Esc leads back.
  await page.keyboard.press('Alt+F10')
  const tools = page.getByRole('toolbar', { name: 'Formatting' })
  await eventually(() => isFocused(tools.getByRole('button', { name: 'Bold' }))).toBe(true)
  for (let step = 0; step < 7; step++) await page.keyboard.press('ArrowRight')
  const bullets = tools.getByRole('button', { name: 'Bulleted list' })
  expect(await isFocused(bullets)).toBe(true)
  await page.keyboard.press('Enter')
  await eventually(() => isFocused(text)).toBe(true)
  expect(await bullets.getAttribute('aria-pressed')).toBe('true')
  await page.keyboard.type('one')
  await page.keyboard.press('Enter')
  await page.keyboard.type('two')
  await page.keyboard.press('Control+Enter')
  const html = '<p>They called <strong>us</strong></p><ul><li><p>one</p></li><li><p>two</p></li></ul>'
  await eventually(stored).toBe(html)

  const shown = page.getByRole('definition').filter({ hasText: 'They called us' })
  await shown.getByRole('listitem').filter({ hasText: 'two' }).waitFor()
  await page.goto(
    `/accounts?${new URLSearchParams({ filter: `name = "${account['name']}"`, columns: `name,${name}` })}`,
  )
  await page.getByRole('gridcell', { name: 'They called us one two' }).waitFor()
})

test('a link is put on words, an address that would run something is refused, and Esc leaves the text as it was', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const { name, label } = await richField(api)
  const account = await api.create('/api/core/accounts', { name: uniqueName('Linked'), [name]: '<p>our terms</p>' })
  const stored = async () => (await api.record('/api/core/accounts', account.id))[name]
  await page.goto(`/accounts/${account.id}`)
  const edit = page.getByRole('button', { name: `Change ${label}` })
  await edit.click()
  const text = page.getByRole('textbox', { name: label })
  await eventually(() => isFocused(text)).toBe(true)
  await page.keyboard.press('Control+a')
  await page.getByRole('toolbar', { name: 'Formatting' }).getByRole('button', { name: 'Link' }).click()
  const address = page.getByRole('textbox', { name: 'Address', exact: true })
  await address.fill('javascript:alert(1)')
  await address.press('Enter')
  await page.getByRole('alert').filter({ hasText: 'is not an address a link can lead to' }).waitFor()
  await address.fill('example.org/terms')
  await address.press('Enter')
  await eventually(() => isFocused(text)).toBe(true)
  await page.keyboard.press('Control+Enter')
  await eventually(stored).toBe('<p><a href="https://example.org/terms">our terms</a></p>')
  await page.getByRole('definition').getByRole('link', { name: 'our terms' }).waitFor()

  await edit.click()
  await eventually(() => isFocused(text)).toBe(true)
  await page.keyboard.type(' and more')
  await page.keyboard.press('Escape')
  await page.getByRole('definition').getByRole('link', { name: 'our terms' }).waitFor()
  expect(await stored()).toBe('<p><a href="https://example.org/terms">our terms</a></p>')
})

test('formatted text of a new record is saved with it, and what a store holds beyond the list is not shown', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const { name, label } = await richField(api)
  const title = uniqueName('Form')
  await page.goto('/accounts?create=1')
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(title)
  const text = page.getByRole('textbox', { name: label })
  const all = page.getByRole('button', { name: 'All fields' })
  await all.or(text).first().waitFor()
  if (await all.isVisible()) await all.click()
  await text.click()
  await page.keyboard.type('From the form')
  await page.keyboard.press('Control+Enter')
  await toast(page, `${title} created.`).waitFor()
  const path = `/api/core/accounts?${new URLSearchParams({ filter: `name = "${title}"` })}`
  const [made] = (await api.get<{ data: { id: string }[] }>(path)).data
  expect((await api.record('/api/core/accounts', made!.id))[name]).toBe('<p>From the form</p>')

  const evil =
    '<p onclick="x()">kept<img src="/x" onerror="x()"><script>x()</script> <a href="javascript:x()">words</a></p>'
  await page.route(`**/api/core/accounts/${made!.id}?*`, async (route) => {
    const answer = await route.fetch()
    const body = (await answer.json()) as { data: Record<string, unknown> }
    await route.fulfill({ response: answer, json: { ...body, data: { ...body.data, [name]: evil } } })
  })
  await page.goto(`/accounts/${made!.id}`)
  const shown = page.getByRole('definition').filter({ hasText: 'kept words' })
  await shown.waitFor()
  const inside = await shown.locator('.rich').innerHTML()
  expect(inside.replaceAll(/<!--.*?-->/g, '')).toBe('<p>kept <a>words</a></p>')
})
