import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestApp, TestClient, type TestApp, type TestWorkspace } from '../src/testing/index.ts'

// The kernel's own units, with real people, keys and roles; what a job does when it is interrupted stands in jobs.test.ts.
let app: TestApp
let here: TestWorkspace
let between: () => Promise<unknown>

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
  app.app.jobs.register('core.probe', async (_, { unit, progress }) => {
    await unit((ctx) => ctx.records.create('core.account', { name: 'Before' }))
    await between()
    await unit(async (ctx) => {
      await ctx.records.create('core.account', { name: 'After' })
      await progress(2, 2, ctx)
    })
  })
})
afterAll(() => app[Symbol.asyncDispose]())
beforeEach(async () => {
  here = await app.secondWorkspace()
  between = async () => {}
})

/** Runs the job as somebody and tells what it came to, and which of its two accounts are there. */
async function run(actor: { type: 'user' | 'key'; id: string }) {
  const id = await app.app.jobs.enqueue({ workspace: here.workspace.id, kind: 'core.probe', actor })
  await app.app.jobs.runUntilIdle()
  const job = (await here.admin.get(`/api/core/jobs/${id}`)).body.data
  const { body } = await here.admin.get('/api/core/accounts?sort=-name')
  return { job, accounts: body.data }
}

const names = (accounts: readonly { name: string }[]) => accounts.map(({ name }) => name)

describe('work that goes on for somebody', () => {
  test('stops when they are removed from the workspace meanwhile, says so, and keeps what was done in their name', async () => {
    const rep = await here.as({ may: ['core.account.create', 'core.account.read'], name: 'Anna Rep' })
    const user = rep.who.actor.id ?? ''
    between = () => here.admin.post(`/api/core/users/${user}/deactivate`)
    const { job, accounts } = await run({ type: 'user', id: user })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'MEMBER_GONE' } })
    // Who it was is for them to read, and they are gone; whoever manages jobs is told why it stopped.
    expect(job.error.detail).toContain('MEMBER_GONE')
    expect(job.error.detail).not.toContain(user)
    expect(names(accounts)).toEqual(['Before'])
    expect(accounts[0]).toMatchObject({ createdBy: user })
  })

  test('is not begun for somebody who was removed before its turn came, nor for a stranger', async () => {
    const rep = await here.as({ may: ['core.account.create'] })
    const user = rep.who.actor.id ?? ''
    await here.admin.post(`/api/core/users/${user}/deactivate`)
    for (const id of [user, app.admin.who.actor.id ?? '']) {
      const { job, accounts } = await run({ type: 'user', id })
      expect(job).toMatchObject({ state: 'failed', error: { code: 'MEMBER_GONE' } })
      expect(accounts).toEqual([])
    }
  })

  test('has the rights they have by then, not those they started it with', async () => {
    const rep = await here.as({ may: ['core.account.create', 'core.account.read'] })
    const role = (await here.admin.get('/api/core/roles?limit=200')).body.data.find(
      ({ name }: { name: string }) => name === `Role of ${rep.who.actor.id}`,
    )
    expect(role).toBeDefined()
    between = async () => {
      const grants = [{ resource: 'core.account', action: 'read', visibility: 'all' }]
      const { status, body } = await here.admin.patch(`/api/core/roles/${role.id}`, { version: role.version, grants })
      expect(status, JSON.stringify(body)).toBe(200)
    }
    const { job, accounts } = await run({ type: 'user', id: rep.who.actor.id ?? '' })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'PERMISSION_DENIED' } })
    expect(names(accounts)).toEqual(['Before'])
  })

  test('stops when the API key that asked for it is revoked', async () => {
    const grants = [{ resource: '*', action: '*', visibility: 'all' }]
    const role = await here.admin.post('/api/core/roles', { name: 'Machine', grants })
    const made = await here.admin.post('/api/core/api-keys', { name: 'Sync', role: role.body.data.id })
    const { id, key } = made.body.data
    const machine = new TestClient(app.app, here.admin.who, { authorization: `Bearer ${key}` })
    expect((await machine.get('/api/core/accounts')).status).toBe(200)
    between = async () => {
      const { status, body } = await here.admin.post(`/api/core/api-keys/${id}/revoke`)
      expect(status, JSON.stringify(body)).toBeLessThan(300)
    }
    const { job, accounts } = await run({ type: 'key', id })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'KEY_GONE' } })
    expect(names(accounts)).toEqual(['Before'])
  })
})
