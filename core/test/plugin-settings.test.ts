import { definePlugin, defineRoute, defineSettings, setting, sql, z } from '@socle/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApp, type TestApp } from '../src/testing/index.ts'

const LoanSettings = defineSettings('loans', {
  graceDays: setting.integer({ title: { en: 'Days of grace', fr: 'Jours de grâce' }, initial: 3, min: 0, max: 60 }),
  notice: setting.select({
    title: { en: 'Notice', fr: 'Avis' },
    options: { mail: { en: 'By mail', fr: 'Par courriel' }, none: { en: 'None', fr: 'Aucun' } },
    initial: 'mail',
  }),
  token: setting.secret({ title: { en: 'Token', fr: 'Jeton' } }),
})
const OtherSettings = defineSettings('other', {
  on: setting.boolean({ title: { en: 'On', fr: 'Actif' }, initial: true }),
})

const plugin = (id: string, more: object) =>
  definePlugin({ id, version: '1.0.0', platform: '^1.0.0', title: { en: id, fr: id }, ...more })
const route = (path: string, handle: Parameters<typeof defineRoute>[0]['handle']) =>
  defineRoute({ method: 'get', path, permission: 'authenticated', summary: path, answer: z.unknown(), handle })
const loans = plugin('loans', {
  settings: LoanSettings,
  routes: [
    route('/terms', async (_, ctx) => ctx.settings(LoanSettings)),
    route('/nosy', async (_, ctx) => ctx.settings(OtherSettings)),
  ],
})

let app: TestApp
const path = '/api/core/plugins/loans/settings'
const form = async () => (await app.admin.get(path)).body.data
const terms = async () => (await app.admin.get('/api/loans/terms')).body

beforeAll(async () => {
  app = await createTestApp({ plugins: [loans, plugin('other', { settings: OtherSettings }), plugin('plain', {})] })
})
afterAll(() => app[Symbol.asyncDispose]())

describe('settings of a module', () => {
  test('hold as declared until somebody chooses, each workspace for itself', async () => {
    expect(await terms()).toEqual({ graceDays: 3, notice: 'mail' })
    const { version } = await form()
    expect(await app.admin.patch(path, { version, values: { graceDays: 10, notice: 'none' } })).toMatchObject({
      status: 200,
      body: { data: { values: { graceDays: 10, notice: 'none' } } },
    })
    expect(await terms()).toEqual({ graceDays: 10, notice: 'none' })
    const other = await app.secondWorkspace()
    expect((await other.admin.get('/api/loans/terms')).body).toEqual({ graceDays: 3, notice: 'mail' })
  })

  test('are a form in the reader’s language, with choices and what they begin with', async () => {
    const french = await app.as({ may: ['core.plugin.configure'], locale: 'fr' })
    const { fields } = (await french.get(path)).body.data
    expect(fields.slice(0, 2)).toMatchObject([
      { name: 'graceDays', type: 'integer', label: 'Jours de grâce', initial: 3, required: true },
      {
        name: 'notice',
        options: [
          { value: 'mail', label: 'Par courriel' },
          { value: 'none', label: 'Aucun' },
        ],
      },
    ])
  })

  test('are refused value by value, and nothing of the rest is kept', async () => {
    const { version, values } = await form()
    const { status, body } = await app.admin.patch(path, {
      version,
      values: { graceDays: 99, notice: 'pigeon', colour: 'red', token: 'abc' },
    })
    expect(status).toBe(422)
    expect(body.errors.map((it: { path: string; code: string }) => [it.path, it.code])).toEqual([
      ['/values/graceDays', 'OUT_OF_RANGE'],
      ['/values/notice', 'OPTION_UNKNOWN'],
      ['/values/colour', 'SETTING_UNKNOWN'],
    ])
    expect(body.errors[2].detail).toContain('"colour"')
    expect(await form()).toMatchObject({ version, values, given: [] })
  })

  test('of two who choose at once the second is told', async () => {
    const { version } = await form()
    const [one, two] = await Promise.all(
      [4, 5].map((graceDays) => app.admin.patch(path, { version, values: { graceDays } })),
    )
    expect(new Set([one?.status, two?.status])).toEqual(new Set([200, 409]))
  })

  test('go back to what is declared when emptied', async () => {
    const { version } = await form()
    await app.admin.patch(path, { version, values: { graceDays: null } })
    expect(await terms()).toMatchObject({ graceDays: 3 })
  })

  test('keep a secret sealed: its plugin reads it, no form, no ledger and no table shows it', async () => {
    const { version } = await form()
    await app.admin.patch(path, { version, values: { token: 'tok-1234567' } })
    expect(await terms()).toMatchObject({ token: 'tok-1234567' })
    const shown = await form()
    expect(shown).toMatchObject({ values: { token: null }, given: ['token'] })
    const { owner } = app.app.kernel.parts.database
    const { rows } = await sql`
      select (select string_agg(fields::text, ' ') from core.change where resource = 'core.plugin') as ledger,
        (select string_agg(s::text, ' ') from core.plugin_secret s) as secrets`.execute(owner)
    expect(JSON.stringify([shown, rows, (await app.admin.get('/api/core/audit')).body])).not.toContain('1234567')
    await app.admin.patch(path, { version: shown.version, values: { token: null } })
    expect(await terms()).not.toHaveProperty('token')
  })

  test('stand in the audit with who chose what', async () => {
    const { data } = (await app.admin.get('/api/core/audit')).body
    const changes = data.flatMap((it: { changes: object[] }) => it.changes)
    expect(changes).toContainEqual(
      expect.objectContaining({
        resource: 'core.plugin',
        title: 'loans',
        changes: expect.arrayContaining([{ field: 'graceDays', old: 3, new: 10 }]),
      }),
    )
  })

  test('need the permission for it, and a module that is on and has some', async () => {
    const member = await app.as({ may: ['core.plugin.read'] })
    expect(await member.get(path)).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
    expect(await member.patch(path, { version: 0, values: {} })).toMatchObject({ status: 403 })
    const plain = '/api/core/plugins/plain/settings'
    expect(await app.admin.get(plain)).toMatchObject({ status: 404, body: { code: 'SETTINGS_ABSENT' } })
    await app.admin.post('/api/core/plugins/other/disable', {})
    const off = '/api/core/plugins/other/settings'
    expect(await app.admin.get(off)).toMatchObject({ status: 404, body: { code: 'PLUGIN_DISABLED' } })
  })

  test('of another module are none of a plugin’s business', async () => {
    expect(await app.admin.get('/api/loans/nosy')).toMatchObject({ status: 500, body: { code: 'SETTINGS_FOREIGN' } })
  })
})
