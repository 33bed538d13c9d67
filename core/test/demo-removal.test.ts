import { salesPlugin } from '@socle/sales'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApp, type TestApp } from '../src/testing/index.ts'

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin] })
  await app.app.fillWithDemo(app.workspace)
  await app.deliver()
}, 240_000)
afterAll(() => app[Symbol.asyncDispose]())

const count = async (path: string, filter = '') => {
  const query = new URLSearchParams({ count: 'exact', limit: '1', ...(filter ? { filter } : {}) })
  return (await app.admin.get(`${path}?${query}`)).body.page.count
}

describe('the demonstration', () => {
  test('is taken away by who may manage the workspace alone', async () => {
    const member = await app.as({ may: ['core.account.read'] })
    expect(await member.post('/api/core/demo/remove')).toMatchObject({ status: 403 })
    expect((await app.admin.get('/api/core/demo')).body.data).toEqual({ present: true })
  })

  test(
    'goes but for what people changed or use, and nothing of theirs goes with it',
    { timeout: 240_000 },
    async () => {
      const { data } = (await app.admin.get('/api/core/accounts?limit=3&sort=name')).body
      const [changed, used] = data
      await app.admin.patch(`/api/core/accounts/${changed.id}`, { version: changed.version, city: 'Gap' })
      const { body } = await app.admin.post('/api/core/contacts', { lastName: 'Ours', account: used.id })
      const own = (await app.admin.post('/api/core/accounts', { name: 'Our own first client' })).body.data
      const stages = await count('/api/sales/stages')

      const started = await app.admin.post('/api/core/demo/remove')
      expect(started.status).toBe(202)
      await app.app.jobs.runUntilIdle()
      const job = (await app.admin.get(`/api/core/jobs/${started.body.data.job}`)).body.data
      expect(job).toMatchObject({ state: 'done' })
      expect(job.result.removed).toBeGreaterThan(100)
      expect(job.result.kept).toBeGreaterThanOrEqual(2)

      const left = (await app.admin.get('/api/core/accounts?limit=100')).body.data.map((it: { id: string }) => it.id)
      expect(left).toEqual(expect.arrayContaining([changed.id, used.id, own.id]))
      expect(await count('/api/sales/opportunities')).toBe(0)
      expect(await count('/api/core/contacts', `id = "${body.data.id}"`)).toBe(1)
      expect(await count('/api/sales/stages')).toBe(stages)
      expect((await app.admin.get('/api/core/demo')).body.data).toEqual({ present: false })
    },
  )
})
