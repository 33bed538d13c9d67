import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

const owner = () => app.app.kernel.parts.database.owner

/** Lets the night pass in which what is scheduled runs. */
async function night(): Promise<void> {
  await app.app.jobs.runUntilIdle()
  app.clock.advance('P1D')
  await app.app.jobs.runUntilIdle()
}

async function make({ admin }: TestWorkspace, path: string, values: object) {
  const answer = await admin.post(`/api/core/${path}`, values)
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 })
  return answer.body.data
}

describe('every night', () => {
  test('what points at a record that is gone for good is emptied and told, what is in the bin stays', async () => {
    const here = await app.secondWorkspace()
    const field = { resource: 'core.contact', name: 'broker', type: 'reference', target: 'core.account' }
    await make(here, 'fields', { ...field, labelEn: 'Broker', labelFr: 'Courtier' })
    const [gone, binned, kept] = [
      await make(here, 'accounts', { name: 'Gone' }),
      await make(here, 'accounts', { name: 'In the bin' }),
      await make(here, 'accounts', { name: 'Kept' }),
    ]
    const contacts: string[] = []
    const activities: string[] = []
    for (const { id } of [gone, binned, kept]) {
      contacts.push((await make(here, 'contacts', { lastName: 'Martin', broker: id, allowDuplicate: true })).id)
      const about = { subject: 'Call', resource: 'core.account', record: id }
      const { id: activity } = await make(here, 'activities', about)
      activities.push(activity)
    }
    expect((await here.admin.delete(`/api/core/accounts/${binned.id}?version=1`)).status).toBe(204)
    // As an erasure or a retention rule leaves it.
    await sql`delete from core.activity_link where record = ${gone.id}::uuid`.execute(owner())
    await sql`update core.activity set account_id = null where account_id = ${gone.id}::uuid`.execute(owner())
    await sql`delete from core.account where id = ${gone.id}::uuid`.execute(owner())
    await night()
    const read = async (path: string, id: string) => (await here.admin.get(`/api/core/${path}/${id}`)).body.data
    expect(await Promise.all(contacts.map(async (id) => (await read('contacts', id)).broker))).toEqual([
      null,
      binned.id,
      kept.id,
    ])
    expect(await Promise.all(activities.map(async (id) => (await read('activities', id)).record))).toEqual([
      null,
      binned.id,
      kept.id,
    ])
    const history = await here.admin.get(`/api/core/contacts/${contacts[0]}/history`)
    expect(history.body.data[0]).toMatchObject({
      actor: { type: 'system' },
      changes: [{ field: 'broker', old: gone.id, new: null }],
    })
    const { rows } = await sql<{ result: unknown }>`
      select result from core.job where workspace = ${here.workspace.id}::uuid and key = 'core.contact.broker'`.execute(
      owner(),
    )
    expect(rows).toEqual([{ result: { looked: 3, emptied: 1, refused: 0 } }])
    await night()
    expect((await read('contacts', contacts[0]!)).version).toBe(2)
  })

  test('words that no document holds are forgotten', async () => {
    const here = await app.secondWorkspace()
    const { id } = await make(here, 'accounts', { name: 'Zyxwvut' })
    await here.admin.patch(`/api/core/accounts/${id}`, { version: 1, name: 'Garonne' })
    const words = async () => {
      const { rows } = await sql<{ word: string }>`
        select word from core.search_word where workspace = ${here.workspace.id}::uuid order by word`.execute(owner())
      return rows.map(({ word }) => word)
    }
    expect(await words()).toContain('zyxwvut')
    await night()
    expect(await words()).not.toContain('zyxwvut')
    expect(await words()).toContain('garonne')
  })

  test('an answer kept for an idempotency key goes after 24 hours and not before', async () => {
    const here = await app.secondWorkspace()
    const post = (key: string) => here.admin.post('/api/core/accounts', { name: key }, { 'idempotency-key': key })
    const kept = async () => {
      const { rows } = await sql<{ key: string }>`
        select key from core.idempotency where workspace = ${here.workspace.id}::uuid order by key`.execute(owner())
      return rows.map(({ key }) => key)
    }
    await app.app.jobs.runUntilIdle()
    await post('old')
    app.clock.advance('PT23H')
    await post('young')
    expect(await kept()).toEqual(['old', 'young'])
    app.clock.advance('PT20H')
    await app.app.jobs.runUntilIdle()
    expect(await kept()).toEqual(['young'])
    expect((await post('young')).headers.get('idempotent-replay')).toBe('true')
  })

  test('likely duplicates are looked for', async () => {
    const here = await app.secondWorkspace()
    for (const name of ['Chocolaterie Bellecour', 'Chocolaterie Bellecour'])
      await make(here, 'accounts', { name, allowDuplicate: true })
    await night()
    const pairs = await here.admin.get('/api/core/accounts/duplicates')
    expect(pairs.body.data, JSON.stringify(pairs.body)).toHaveLength(1)
  })

  test('sessions that are over, questions nobody answered and failures that are forgiven go', async () => {
    const sendIn = (path: string, body: object, address: string) =>
      app.app.fetch(
        new Request(`http://localhost/api/auth/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: 'http://localhost' },
          body: JSON.stringify(body),
        }),
        { incoming: { socket: { remoteAddress: address } } },
      )
    const kept = async () => {
      const { rows } = await sql<{ sessions: number; questions: number; failures: number }>`
        select (select count(*) from core.session) as sessions, (select count(*) from core.verification) as questions,
          (select count(*) from core.sign_in_failure where failures > 0) as failures`.execute(owner())
      return rows[0]!
    }
    const person = { email: 'night.owl@example.com', password: 'three plain words' }
    await app.admin.post('/api/core/users', { ...person, name: 'Night Owl' })
    await app.app.jobs.runUntilIdle()
    app.clock.advance('P15D')
    await app.app.identity.sweep()
    const before = await kept()
    expect((await sendIn('sign-in/email', person, '192.0.2.1')).status).toBe(200)
    expect((await sendIn('sign-in/email', { ...person, password: 'not this' }, '192.0.2.9')).status).toBe(401)
    expect((await sendIn('passkey/options', {}, '192.0.2.1')).status).toBe(200)
    const { sessions, questions, failures } = await kept()
    expect([sessions, questions]).toEqual([before.sessions + 1, before.questions + 1])
    expect(failures).toBeGreaterThan(before.failures)
    await night()
    await expect.poll(kept).toMatchObject({ sessions: before.sessions + 1, questions: before.questions })
    await night()
    await expect.poll(async () => (await kept()).failures).toBe(before.failures)
    app.clock.advance('P14D')
    await night()
    await expect.poll(async () => (await kept()).sessions).toBe(before.sessions)
  })
})
