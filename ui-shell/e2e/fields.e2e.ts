import { expect, test } from 'vitest'
import { eventually, toast, visit } from './browser.ts'

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
  const dialog = page.getByRole('dialog', { name: 'New field' })
  await dialog.getByLabel('Label in English').fill(label)
  await dialog.getByLabel('Label in French').fill(`Fidélité ${suffix}`)
  await dialog.getByLabel('Name in filters and the API').fill(`loyalty${suffix}`)
  await dialog.getByLabel('Type').selectOption('multi-select')
  await dialog.getByLabel('Choices').fill('gold | Gold | Or\ntin | Tin | Étain')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await toast(page, `${label} saved`).waitFor()
  await record.getByText(label, { exact: true }).first().waitFor()

  await page.getByRole('button', { name: `Edit ${label}` }).click()
  await page.getByRole('button', { name: 'Archive' }).click()
  await eventually(() => record.getByText(label, { exact: true }).count()).toBe(0)
  expect(await record.evaluate(() => 'sameDocument' in window)).toBe(true)
})
