import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serverDatabase } from '../src/database/database.ts'
import { appRole } from '../src/database/session.ts'
import { definePlugin } from '../src/plugins/define-plugin.ts'
import { defineSettings, setting } from '../src/plugins/settings/define-settings.ts'
import { createTestApp, type TestApp } from '../src/testing/index.ts'
import { onServer } from '../src/testing/test-database.ts'
import { vaultPlugin } from './vault-plugin.ts'

const server = process.env['TEST_DATABASE_URL'] ?? ''

const vault = vaultPlugin()
const title = { en: 'Thrifty', fr: 'Économe' }
const thrifty = definePlugin({
  id: 'thrifty',
  version: '1.0.0',
  platform: '^1.0.0',
  title,
  settings: defineSettings('thrifty', {
    limit: setting.integer({ title, initial: 3 }),
    token: setting.secret({ title }),
  }),
})

// Hosted PostgreSQL gives a role that owns its database and no more.
describe.runIf(server !== '')('an installation whose role is no superuser', () => {
  const name = `socle_plain_${randomUUID().slice(0, 8)}`
  let app: TestApp
  let drop: () => Promise<void>

  beforeAll(async () => {
    await onServer(
      server,
      `do $$ begin create role ${appRole} nologin; exception when duplicate_object then null; end $$`,
    )
    await onServer(server, `create role ${name} login password '${name}'`)
    await onServer(server, `grant ${appRole} to ${name}`)
    await onServer(server, `create database ${name} owner ${name}`)
    const url = new URL(server)
    Object.assign(url, { pathname: `/${name}`, username: name, password: name })
    const database = await serverDatabase(url.href, { connections: 6 })
    drop = async () => {
      await database.close()
      await onServer(server, `drop database if exists ${name} with (force)`)
      await onServer(server, `drop role ${name}`)
    }
    app = await createTestApp({
      database: { database, url: url.href, drop },
      now: '2026-03-02T09:00:00Z',
      plugins: [thrifty, vault],
      enable: [],
    })
  }, 120_000)
  afterAll(async () => {
    await app[Symbol.asyncDispose]()
    await drop()
  })

  test(
    'puts a module’s data away, takes it away and brings it back, of every workspace',
    { timeout: 60_000 },
    async () => {
      const other = await app.secondWorkspace()
      for (const { workspace, admin } of [app, other]) {
        await app.app.toggle.enable(workspace, 'vault', undefined)
        expect((await admin.post('/api/vault/boxes', { name: 'Tin box' })).status).toBe(201)
      }
      const ended = async (path: string, body: object) => {
        const { job } = (await app.admin.post(path, body)).body.data
        await app.app.jobs.runUntilIdle()
        return (await app.admin.get(`/api/core/jobs/${job}`)).body.data
      }
      expect((await app.admin.get('/api/core/plugins/vault/uninstall')).body.data).toMatchObject({ rows: 4, roles: 2 })
      expect(await ended('/api/core/plugins/vault/uninstall', { mode: 'archive' })).toMatchObject({ state: 'done' })
      const [{ id, checksums }] = (await app.admin.get('/api/core/plugin-archives')).body.data
      expect(checksums).toMatchObject({ 'vault.box': { rows: 2 }, 'vault.planet': { rows: 2 } })
      expect((await app.admin.post('/api/core/plugins/vault/install')).status).toBe(201)
      expect(await ended('/api/core/plugins/vault/restore', { archive: id })).toMatchObject({ state: 'done' })
      for (const { workspace, admin } of [app, other]) {
        await app.app.toggle.enable(workspace, 'vault', undefined)
        expect((await admin.get('/api/vault/boxes')).body.data).toMatchObject([{ name: 'Tin box' }])
      }
      const purge = { mode: 'purge', confirm: 'vault' }
      expect(await ended('/api/core/plugins/vault/uninstall', purge)).toMatchObject({ state: 'done' })
      for (const { inside } of [app, other])
        expect(
          await inside((ctx) => sql`select from core.role where grants::text like '%vault%'`.execute(ctx.sql)),
        ).toMatchObject({ rows: [] })
    },
  )

  test('has the functions that read own fields, which claim nothing they may not', async () => {
    const { rows } = await sql<{ proname: string; proleakproof: boolean }>`
      select proname, proleakproof from pg_proc where pronamespace = 'core'::regnamespace
        and proname in ('custom_json', 'custom_text', 'custom_date', 'custom_instant', 'custom_id', 'json_number', 'json_integer', 'json_boolean')
      order by proname`.execute(app.app.kernel.parts.database.owner)
    expect(rows.map(({ proname }) => proname)).toEqual([
      'custom_date', 'custom_id', 'custom_instant', 'custom_json', 'custom_text', 'json_boolean', 'json_integer', 'json_number',
    ]) // prettier-ignore
    expect(rows.some(({ proleakproof }) => proleakproof)).toBe(false)
  })

  test('answers right over own fields, before their indexes are built and after', { timeout: 60_000 }, async () => {
    const { admin } = app
    const define = async (field: string, type: string, more: object = {}) => {
      const values = {
        resource: 'core.account',
        name: field,
        type,
        labelEn: field,
        labelFr: field,
        indexed: true,
        ...more,
      }
      expect((await admin.post('/api/core/fields', values)).status).toBe(201)
    }
    await define('margin', 'money')
    await define('grade', 'select', { options: [{ value: 'gold' }, { value: 'tin' }] })
    await define('due', 'date')
    await define('met', 'instant')
    await define('visits', 'integer')
    await define('vip', 'boolean')
    await define('motto', 'text')
    await define('broker', 'reference', { target: 'core.account' })
    const broker = (await admin.post('/api/core/accounts', { name: 'Broker' })).body.data.id
    const create = Array.from({ length: 60 }, (_, nth) => ({
      name: `Account ${String(nth).padStart(2, '0')}`,
      industry: 'plain',
      margin: nth % 5 === 0 ? null : `${nth - 30}.25`,
      grade: nth % 2 ? 'gold' : 'tin',
      due: `2026-03-${String(1 + (nth % 28)).padStart(2, '0')}`,
      met: `2026-03-01T0${nth % 10}:00:00Z`,
      visits: nth % 7,
      vip: nth % 3 === 0,
      motto: nth % 4 ? `Été ${nth}` : null,
      broker: nth < 10 ? broker : null,
      allowDuplicate: true,
    }))
    const made = await admin.post('/api/core/accounts/bulk', { create, atomic: true })
    expect(made.body.data, JSON.stringify(made.body)).toHaveLength(60)
    const count = async (filter: string) => {
      const query = new URLSearchParams({ filter: `industry = plain and ${filter}`, count: 'exact', limit: '1' })
      const { body } = await admin.get(`/api/core/accounts?${query}`)
      return body.page.count
    }
    const expected: readonly [filter: string, holds: (row: (typeof create)[number], nth: number) => boolean][] = [
      ['margin > 10', ({ margin }) => margin !== null && Number(margin) > 10],
      ['margin is empty', ({ margin }) => margin === null],
      ['grade = gold and visits >= 5', ({ grade, visits }) => grade === 'gold' && visits >= 5],
      ['due < "2026-03-10"', ({ due }) => due < '2026-03-10'],
      ['met > "2026-03-01T05:00:00Z"', ({ met }) => met > '2026-03-01T05:00:00Z'],
      ['vip = true', ({ vip }) => vip],
      ['motto ~ "ete 1"', ({ motto }) => motto?.startsWith('Été 1') === true],
      ['broker.name = "Broker"', ({ broker: of }) => of !== null],
    ]
    const sorted = async (sort: string) => {
      const query = new URLSearchParams({ filter: 'industry = plain', sort, limit: '200' })
      return (await admin.get(`/api/core/accounts?${query}`)).body.data.map((it: { name: string }) => it.name)
    }
    const byMargin = create
      .filter(({ margin }) => margin !== null)
      .toSorted((a, b) => Number(b.margin) - Number(a.margin))
      .map((it) => it.name)
    for (const built of [false, true]) {
      if (built) {
        await app.deliver()
        await app.app.jobs.runUntilIdle()
        const { body } = await admin.get('/api/core/fields?fields=name,indexState')
        expect(body.data.map((it: { indexState: string }) => it.indexState)).toEqual(Array(8).fill('ready'))
      }
      for (const [filter, holds] of expected)
        expect(await count(filter), `${filter}, built: ${built}`).toBe(create.filter(holds).length)
      expect((await sorted('-margin')).slice(0, byMargin.length)).toEqual(byMargin)
    }
  })

  test('switches modules, keeps what is chosen for them, and what went wrong with them', async () => {
    const { admin } = app
    await admin.post('/api/core/plugins/thrifty/enable', {})
    const path = '/api/core/plugins/thrifty/settings'
    const values = { limit: 7, token: 'sealed-away' }
    expect((await admin.patch(path, { version: 0, values })).body.data).toMatchObject({
      values: { limit: 7, token: null },
      given: ['token'],
    })
    await app.app.kernel.parts.incidents.note({ plugin: 'thrifty', kind: 'request', error: new Error('tired') })
    const { rows } = await sql`select code from core.plugin_incident where plugin = 'thrifty'`.execute(
      app.app.kernel.parts.database.owner,
    )
    expect(rows).toEqual([{ code: 'INTERNAL' }])
  })

  test('keeps companies apart, and does what goes over all of them', { timeout: 60_000 }, async () => {
    const other = await app.secondWorkspace()
    const { body } = await other.admin.post('/api/core/accounts', { name: 'Theirs' })
    expect((await app.admin.get(`/api/core/accounts/${body.data.id}`)).status).toBe(404)
    expect((await app.admin.get('/api/core/search?q=theirs')).body.data).toEqual([])
    expect((await other.admin.get('/api/core/search?q=theirs')).body.data).toHaveLength(1)
    // The queue, the ledger's seal and deliveries work for every company as the tables' owner.
    const ordered = await other.admin.post('/api/core/accounts/bulk', { ids: [body.data.id], set: { city: 'Gap' } })
    await app.app.jobs.runUntilIdle()
    expect((await other.admin.get(`/api/core/bulks/${ordered.body.data.id}`)).body.data).toMatchObject({ done: 1 })
    await app.deliver()
    expect((await other.admin.get('/api/core/audit/verification')).body.data).toMatchObject({ fault: null, waiting: 0 })
  })
})
