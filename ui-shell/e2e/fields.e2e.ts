import { expect, test } from 'vitest'
import { eventually, isFocused, toast, visit } from './browser.ts'

test('a field added in settings stands in another tab’s record without a reload, and leaves it when archived', async () => {
  await using claire = await visit('/settings/fields')
  const { page, api } = claire
  const { data } = await api.get<{ data: { id: string }[] }>('/api/core/accounts?limit=1&sort=name')
  const record = await claire.tab(`/accounts/${data[0]?.id}`)
  await record.getByText('Details', { exact: true }).first().waitFor()
  await record.evaluate(() => Object.assign(window, { sameDocument: true }))

  const suffix = String(Date.now())
  const label = `Loyalty ${suffix}`
  await page.getByRole('button', { name: 'New field' }).click()
  await page.getByRole('dialog', { name: 'New field' }).waitFor()
  await page.getByLabel('Label in English', { exact: true }).fill(label)
  await page.getByLabel('Label in French', { exact: true }).fill(`Fidélité ${suffix}`)
  const name = page.getByLabel('Name in filters and the API', { exact: true })
  expect(await name.inputValue()).toBe(`loyalty${suffix}`)
  await page.getByLabel('Type', { exact: true }).selectOption('multi-select')
  await page.getByLabel('Choices', { exact: true }).fill('gold | Gold | Or\ntin | Tin | Étain')
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, `${label} saved`).waitFor()
  await record.getByText(label, { exact: true }).first().waitFor()

  await page.getByRole('button', { name: `Edit ${label}` }).click()
  await page.getByRole('button', { name: 'Archive' }).click()
  await eventually(() => record.getByText(label, { exact: true }).count()).toBe(0)
  expect(await record.evaluate(() => 'sameDocument' in window)).toBe(true)
})

test('an amount takes its currency from another field, a text its longest, and fields their order', async () => {
  await using claire = await visit('/settings/fields')
  const { page, api } = claire
  const suffix = String(Date.now())
  const make = async (label: string, type: string, fill: () => Promise<unknown>) => {
    await page.getByRole('button', { name: 'New field' }).click()
    await page.getByLabel('Label in English', { exact: true }).fill(`${label} ${suffix}`)
    await page.getByLabel('Label in French', { exact: true }).fill(`${label} ${suffix}`)
    await page.getByLabel('Type', { exact: true }).selectOption(type)
    await fill()
    await page.getByRole('button', { name: 'Save' }).click()
    await toast(page, `${label} ${suffix} saved`).waitFor()
  }
  await make('Coin', 'text', () => page.getByLabel('Longest, in characters', { exact: true }).fill('3'))
  await make('Deposit', 'money', () =>
    page.getByLabel('Currency', { exact: true }).selectOption({ label: `Coin ${suffix}` }),
  )
  const values = { name: `Paid ${suffix}`, [`coin${suffix}`]: 'USD', [`deposit${suffix}`]: '12.5' }
  const account = await api.create('/api/core/accounts', values)
  await expect(
    api.patch(`/api/core/accounts/${account.id}`, { version: 1, [`coin${suffix}`]: 'EURO' }),
  ).rejects.toThrow('422')
  const record = await claire.tab(`/accounts/${account.id}`)
  await record.getByRole('definition').filter({ hasText: 'US$12.50' }).waitFor()

  const order = async () =>
    (await page.getByRole('listitem').filter({ hasText: suffix }).allInnerTexts()).map((it) => it.split(' ')[0])
  await eventually(order).toEqual(['Coin', 'Deposit'])
  await page.getByRole('button', { name: `Move Deposit ${suffix} up` }).click()
  await eventually(order).toEqual(['Deposit', 'Coin'])
  await page.reload()
  await eventually(order).toEqual(['Deposit', 'Coin'])
})

test('whoever reads French is asked the French label first, which proposes the name', async () => {
  await using camille = await visit('/settings/fields', { as: 'camille' })
  const { page } = camille
  await page.getByRole('button', { name: 'Nouveau champ' }).click()
  await page.getByRole('dialog', { name: 'Nouveau champ' }).waitFor()
  const boxes = page.locator('socle-dialog').getByRole('textbox')
  expect(await boxes.nth(0).getAttribute('name')).toBe('labelFr')
  await boxes.nth(0).fill('Quai de livraison')
  expect(await page.locator('socle-dialog [name=name]').inputValue()).toBe('quaiDeLivraison')
})

test('a field has its place while its condition holds, in a new record and in one that is there, and is asked for then', async () => {
  await using claire = await visit('/accounts')
  const { page, api } = claire
  const suffix = String(Date.now())
  const label = `Permit ${suffix}`
  const trade = `quarry ${suffix}`
  const condition = `industry = "${trade}"`
  await api.post('/api/core/fields', {
    ...{ resource: 'core.account', name: `permit${suffix}`, type: 'text', labelEn: label, labelFr: label },
    ...{ shownIf: condition, requiredIf: condition },
  })
  const named = (name: string, industry: string) => api.create('/api/core/accounts', { name, industry })
  const plain = await named(`Plain ${suffix}`, 'other')
  await page.goto(`/accounts/${plain.id}`)
  await page.getByText('Industry', { exact: true }).first().waitFor()
  expect(await page.getByText(label, { exact: true }).count()).toBe(0)

  await page.goto('/accounts?create=1')
  await page.getByRole('complementary', { name: 'New account' }).waitFor()
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(`Stone ${suffix}`)
  const industry = page.getByRole('textbox', { name: 'Industry', exact: true })
  await industry.waitFor()
  expect(await page.getByLabel(label).count()).toBe(0)
  await industry.fill(trade)
  const permit = page.getByRole('textbox', { name: label })
  await permit.waitFor()
  await page.keyboard.press('Control+Enter')
  await page.getByRole('alert').filter({ hasText: 'One thing needs your attention' }).waitFor()
  await permit.fill('P-1')
  await page.keyboard.press('Control+Enter')
  await toast(page, `Stone ${suffix} created.`).waitFor()
  await page.getByText(label, { exact: true }).first().waitFor()
})

test('a field is added from a record, in the dialog of the settings, and stands there open to be filled, without a reload', async () => {
  await using claire = await visit('/')
  const { page, api } = claire
  const suffix = String(Date.now())
  const account = await api.create('/api/core/accounts', { name: `Adding ${suffix}` })
  await page.goto(`/accounts/${account.id}`)
  await page.evaluate(() => Object.assign(window, { sameDocument: true }))
  await page.getByRole('button', { name: 'Add a field' }).click()
  await page.getByRole('dialog', { name: 'New field' }).waitFor()
  await page.getByLabel('Label in English', { exact: true }).fill(`Dock ${suffix}`)
  await page.getByLabel('Label in French', { exact: true }).fill(`Quai ${suffix}`)
  await page.getByLabel('Name in filters and the API', { exact: true }).fill('name')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').filter({ hasText: '"name"' }).waitFor()
  await page.getByLabel('Name in filters and the API', { exact: true }).fill(`dock${suffix}`)
  await page.getByRole('button', { name: 'Save' }).click()
  const dock = page.getByRole('textbox', { name: `Dock ${suffix}` })
  await eventually(() => isFocused(dock)).toBe(true)
  await dock.fill('12 B')
  await dock.press('Enter')
  await eventually(async () => (await api.record('/api/core/accounts', account.id))[`dock${suffix}`]).toBe('12 B')
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true)

  // Who may not manage fields is not offered to.
  await page.route('**/api/core/shell', async (route) => {
    const answer = await route.fetch()
    const body = (await answer.json()) as { may: string[] }
    const may = body.may.filter((it) => it !== 'core.field.manage')
    await route.fulfill({ response: answer, json: { ...body, may } })
  })
  await page.reload()
  await page.getByRole('definition').filter({ hasText: '12 B' }).waitFor()
  expect(await page.getByRole('button', { name: 'Add a field' }).count()).toBe(0)
})
