import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, type TestApp } from '../src/testing/index.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

const number = (nth: number, year = 2026) => `SO-${year}-${String(nth).padStart(5, '0')}`

async function numbers(): Promise<unknown[]> {
  const { body } = await app.admin.get('/api/core/orders?sort=number&limit=200&fields=number')
  return body.data.map((order: { number: unknown }) => order.number)
}

test('core-20: of 50 orders confirmed at once 10 are rolled back, and the other 40 are numbered without a gap', async () => {
  const { body: account } = await app.admin.post('/api/core/accounts', { name: 'Maison Garonne' })
  const order = { account: account.data.id }
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, nth) => {
      // Every fifth draws its number and then fails with its neighbour, as one transaction.
      const fails = nth % 5 === 0
      const made = await app.admin.post('/api/core/orders/bulk', {
        atomic: true,
        create: fails ? [order, { account: randomUUID() }] : [order],
      })
      if (fails) return made.status
      const [{ id, version }] = made.body.data
      const confirmed = await app.admin.patch(`/api/core/orders/${id}`, { version, status: 'confirmed' })
      return confirmed.status
    }),
  )
  expect(answers.filter((status) => status === 200)).toHaveLength(40)
  expect(answers.filter((status) => status === 422)).toHaveLength(10)
  expect(await numbers()).toEqual(Array.from({ length: 40 }, (_, nth) => number(nth + 1)))
})

test('a row that fails alone in a batch gives its number to the next one, and a new year starts at one', async () => {
  const { body: account } = await app.admin.post('/api/core/accounts', { name: 'Comptoir Valmy' })
  const order = { account: account.data.id }
  const { body } = await app.admin.post('/api/core/orders/bulk', {
    create: [order, { account: randomUUID() }, order],
  })
  expect(body.data.map(({ status }: { status: string }) => status)).toEqual(['done', 'failed', 'done'])
  expect((await numbers()).slice(-2)).toEqual([number(41), number(42)])
  app.clock.set('2027-01-01T12:00:00Z')
  const next = await app.admin.post('/api/core/orders', order)
  expect(next.body.data.number).toBe(number(1, 2027))
})
