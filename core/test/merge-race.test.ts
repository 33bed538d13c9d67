import { sql } from 'kysely'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createTestApp,
  type TestAnswer,
  type TestApp,
  type TestClient,
  type TestWorkspace,
} from '../src/testing/index.ts'

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

interface Made {
  readonly id: string
  readonly version: number
}

async function make(admin: TestClient, path: string, values: object): Promise<Made> {
  const answer = await admin.post(`/api/core/${path}`, { ...values, allowDuplicate: true })
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 })
  return answer.body.data
}

/** Points at accounts in each way there is: by a foreign key, by a field of the workspace’s own, by kind and id. */
const writers: readonly ((admin: TestClient, account: string, nth: number) => Promise<TestAnswer>)[] = [
  (admin, account, nth) =>
    admin.post('/api/core/contacts', { lastName: `Direct ${nth}`, account, allowDuplicate: true }),
  (admin, broker, nth) => admin.post('/api/core/contacts', { lastName: `Own ${nth}`, broker, allowDuplicate: true }),
  (admin, record, nth) =>
    admin.post('/api/core/activities', { subject: `About ${nth}`, resource: 'core.account', record }),
]

/** Live records that point at an account, in whichever way. */
async function pointingAt({ inside }: TestWorkspace, account: string): Promise<number> {
  const { rows } = await inside((ctx) =>
    sql<{ n: number }>`select (
      (select count(*) from core.contact where deleted_at is null and (account_id = ${account}::uuid or custom ->> 'broker' = ${account})) +
      (select count(*) from core.activity where deleted_at is null and (account_id = ${account}::uuid or record = ${account}::uuid))
    )::integer as n`.execute(ctx.sql),
  )
  return rows[0]!.n
}

async function company(): Promise<TestWorkspace> {
  const here = await app.secondWorkspace()
  const field = {
    resource: 'core.contact',
    name: 'broker',
    type: 'reference',
    target: 'core.account',
    labelEn: 'Broker',
    labelFr: 'Courtier',
  }
  expect((await here.admin.post('/api/core/fields', field)).status).toBe(201)
  return here
}

// PGlite has one connection: nothing there happens meanwhile.
describe.runIf(process.env['TEST_DATABASE_URL'])('while accounts are merged', () => {
  test(
    'whoever points at one that ends points at its survivor afterwards, or is refused',
    { timeout: 120_000 },
    async () => {
      const here = await company()
      const { admin } = here
      const survivor = await make(admin, 'accounts', { name: 'Survivor' })
      let written = 0
      for (let round = 0; round < 6; round += 1) {
        const loser = await make(admin, 'accounts', { name: `Loser ${round}` })
        for (let nth = 0; nth < 5; nth += 1) await writers[nth % 3]!(admin, loser.id, nth)
        const inserts = Array.from({ length: 36 }, async (_, nth) => {
          await pause(nth * 2)
          return writers[nth % 3]!(admin, loser.id, nth)
        })
        await pause(10 + round * 8)
        const { version } = (await admin.get(`/api/core/accounts/${survivor.id}`)).body.data
        const merge = await admin.post(`/api/core/accounts/${survivor.id}/merge`, {
          version,
          others: [{ id: loser.id, version: loser.version }],
        })
        expect(merge, JSON.stringify(merge.body)).toMatchObject({ status: 200 })
        for (const { status, body } of await Promise.all(inserts)) {
          if (status === 201) written += 1
          else expect({ status, code: body.code }).toEqual({ status: 409, code: 'RECORD_MERGED' })
        }
        expect(await pointingAt(here, loser.id), `round ${round}`).toBe(0)
        const old = await admin.get(`/api/core/accounts/${loser.id}`)
        expect([old.status, old.headers.get('location')]).toEqual([301, `/api/core/accounts/${survivor.id}`])
      }
      // Activities about an account name it twice.
      expect(await pointingAt(here, survivor.id)).toBeGreaterThanOrEqual(written + 6 * 5)
    },
  )

  test(
    'whoever points at it while the merge is undone points at a record that is there',
    { timeout: 120_000 },
    async () => {
      const here = await company()
      const { admin } = here
      const survivor = await make(admin, 'accounts', { name: 'Survivor' })
      for (let round = 0; round < 4; round += 1) {
        const loser = await make(admin, 'accounts', { name: `Loser ${round}` })
        for (let nth = 0; nth < 6; nth += 1) await writers[nth % 3]!(admin, loser.id, nth)
        const { version } = (await admin.get(`/api/core/accounts/${survivor.id}`)).body.data
        const merge = await admin.post(`/api/core/accounts/${survivor.id}/merge`, {
          version,
          others: [{ id: loser.id, version: loser.version }],
        })
        const before = await pointingAt(here, survivor.id)
        const inserts = Array.from({ length: 24 }, async (_, nth) => {
          await pause(nth * 2)
          return writers[nth % 3]!(admin, loser.id, nth)
        })
        await pause(10 + round * 8)
        const undone = await admin.post(`/api/core/merges/${merge.body.data.merge}/undo`, {})
        expect(undone, JSON.stringify(undone.body)).toMatchObject({ status: 200 })
        for (const { status, body } of await Promise.all(inserts)) expect(status, JSON.stringify(body)).toBe(201)
        // Six came back with it, and each of the new ones is at one of the two.
        expect(await pointingAt(here, loser.id)).toBeGreaterThanOrEqual(6)
        expect((await pointingAt(here, loser.id)) + (await pointingAt(here, survivor.id))).toBe(before + 24)
        expect((await admin.get(`/api/core/accounts/${loser.id}`)).body.data).toMatchObject({ deletedAt: null })
      }
    },
  )

  test(
    'of two merges of one account the later one is refused, and no way ends in the bin',
    { timeout: 60_000 },
    async () => {
      const here = await company()
      const { admin } = here
      for (let round = 0; round < 5; round += 1) {
        const [one, two, three] = [
          await make(admin, 'accounts', { name: 'One' }),
          await make(admin, 'accounts', { name: 'Two' }),
          await make(admin, 'accounts', { name: 'Three' }),
        ] as const
        const into = (survivor: Made, other: Made) =>
          admin.post(`/api/core/accounts/${survivor.id}/merge`, { version: 1, others: [{ id: other.id, version: 1 }] })
        const answers = await Promise.all([into(one, two), into(two, three), into(three, one)])
        const done = answers.filter(({ status }) => status === 200)
        expect(done.length).toBeGreaterThanOrEqual(1)
        for (const { status, body } of answers)
          if (status !== 200) expect({ status, code: body.code }).toMatchObject({ status: 409 })
        for (const { id } of [one, two, three]) {
          const { status, headers, body } = await admin.get(`/api/core/accounts/${id}`)
          if (status === 200) expect(body.data.deletedAt).toBeNull()
          else expect((await admin.get(String(headers.get('location')))).body.data.deletedAt).toBeNull()
        }
      }
    },
  )
})
