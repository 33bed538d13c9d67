import { expect, test } from 'vitest'
import { isSiren } from '../src/entities/identifiers.ts'
import { createTestApp, type TestClient } from '../src/testing/index.ts'

async function countOf(admin: TestClient, path: string, filter?: string): Promise<number> {
  const answer = await admin.get(
    `/api/core/${path}?count=exact&limit=1${filter === undefined ? '' : `&filter=${encodeURIComponent(filter)}`}`,
  )
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body.page.count
}

test('the demonstration fills a company with a year of plausible business, through the write path', async () => {
  await using app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
  const { admin } = app
  await app.app.fillWithDemo(app.workspace)
  expect(await countOf(admin, 'accounts')).toBe(120)
  expect(await countOf(admin, 'contacts')).toBe(260)
  expect(await countOf(admin, 'leads')).toBe(40)
  expect(await countOf(admin, 'products')).toBe(20)
  expect(await countOf(admin, 'orders')).toBe(60)
  expect(await countOf(admin, 'invoices')).toBeGreaterThan(30)
  expect(await countOf(admin, 'payments')).toBeGreaterThan(20)
  expect(await countOf(admin, 'activities')).toBe(150)

  // Something waits today, something is late, and somebody has it to do.
  expect(await countOf(admin, 'activities', 'status = "planned" and dueAt < "2026-03-02T00:00:00Z"')).toBeGreaterThan(0)
  expect(
    await countOf(
      admin,
      'activities',
      'status = "planned" and dueAt >= "2026-03-02T00:00:00Z" and dueAt < "2026-03-03T00:00:00Z"',
    ),
  ).toBeGreaterThan(0)
  expect(await countOf(admin, 'accounts', 'owner is empty')).toBe(0)

  const { data } = (await admin.get('/api/core/accounts?limit=200')).body
  expect(data.every(({ siren }: { siren: string }) => isSiren(siren))).toBe(true)
  expect(new Set(data.map(({ name }: { name: string }) => name)).size).toBe(120)
  const history = (await admin.get(`/api/core/accounts/${data[0].id}/history`)).body.data
  expect(history).toMatchObject([{ action: 'create', origin: 'demo' }])
}, 180_000)
