import fc from 'fast-check'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FieldGrant, Grant } from '../src/permissions/grant.ts'
import { createTestApp, type TestActor, type TestApp, type TestClient } from '../src/testing/index.ts'
import { atlas, dealsPlugin, personOf } from './partner-world.ts'

const now = '2026-03-02T09:00:00Z'
const accounts = '/api/core/accounts'

let app: TestApp
let admin: TestClient
let team: string

beforeAll(async () => {
  app = await createTestApp({ plugins: [dealsPlugin], now })
  admin = app.admin
  team = (await admin.post('/api/core/teams', { name: 'North' })).body.data.id
})
afterAll(() => app[Symbol.asyncDispose]())

const grant = (action: string, values: Partial<Grant> = {}): Grant => ({
  resource: 'core.account',
  action,
  visibility: 'own',
  ...values,
})
async function account(values: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const made = await admin.post(accounts, { name: `Explained ${uuidv7()}`, allowDuplicate: true, ...values })
  return made.body.data.id
}

interface Asked {
  readonly action?: string
  readonly record?: string
  readonly field?: string
  readonly resource?: string
}

async function explain(whose: TestClient | string, asked: Asked, by = admin) {
  const actor = typeof whose === 'string' ? whose : whose.who.actor.id!
  const query = new URLSearchParams({ actor, resource: 'core.account', action: 'read', ...asked })
  return by.get(`/api/core/explain?${query}`)
}
const codes = (lines: readonly { code: string }[]) => lines.map(({ code }) => code)

/** What decides, and what would change it. */
async function verdict(whose: TestClient | string, asked: Asked, by = admin) {
  const { body } = await explain(whose, asked, by)
  const { allowed, decides, changes, reasons } = body.data
  return { allowed, decides: decides.code, reasons: codes(reasons), changes: codes(changes), body: body.data }
}

const person = (name: string, grants: Grant[], actor: TestActor = {}) => app.as({ name, grants, ...actor })

describe('what decides is told in words, with what would change it', () => {
  test('when no role says anything', async () => {
    const nobody = await person('Nobody', [])
    const id = await account()
    const found = await verdict(nobody, { record: id })
    expect(found).toMatchObject({ allowed: false, decides: 'NO_GRANT' })
    expect(found.changes).toContain('GIVE_ROLE')
    expect(found.body.changes.map(({ role }: { role?: { name: string } }) => role?.name)).toContain('Administrator')
    expect(found.body.decides.text).toBe('None of their roles lets them read Accounts.')
    const french = await admin.get(`/api/core/explain?actor=${nobody.who.actor.id}&resource=core.account&action=read`, {
      'accept-language': 'fr',
    })
    expect(french.body.data.decides.text).toBeTruthy()
  })

  test('when it is out of reach: share it, or make them its owner', async () => {
    const own = await person('Own', [grant('read'), grant('update')])
    const id = await account({ owner: null })
    expect(await verdict(own, { record: id })).toMatchObject({ allowed: false, decides: 'NOT_OWN' })
    expect((await verdict(own, { record: id })).changes).toEqual(expect.arrayContaining(['SHARE', 'MAKE_OWNER']))
    const mate = await person('Mate', [grant('read', { visibility: 'team' })], { teams: [team] })
    expect(await verdict(mate, { record: id })).toMatchObject({ allowed: false, decides: 'NOT_TEAM' })
    const near = await account({ owner: null, team })
    expect(await verdict(mate, { record: near })).toMatchObject({
      allowed: true,
      decides: 'TEAM',
      changes: ['TAKE_ROLE'],
    })
  })

  test('when a share opens it, only for reading, or for whom no role has a grant', async () => {
    const own = await person('Own', [grant('read'), grant('update')])
    const reader = await person('Reader', [grant('read')])
    const stranger = await person('Stranger', [])
    const id = await account({ owner: null })
    for (const { who } of [own, reader, stranger])
      await admin.post('/api/core/shares', { resource: 'core.account', records: [id], user: who.actor.id })
    expect(await verdict(own, { record: id })).toMatchObject({ allowed: true, decides: 'SHARED' })
    expect((await verdict(own, { record: id })).changes).toContain('END_SHARE')
    const update = await verdict(own, { record: id, action: 'update' })
    expect(update).toMatchObject({ allowed: false, decides: 'NOT_OWN' })
    expect(update.reasons).toContain('SHARE_READ_ONLY')
    expect(update.changes).toContain('SHARE')
    expect((await verdict(reader, { record: id, action: 'update' })).reasons).toEqual([
      'NO_GRANT',
      'SHARE_WITHOUT_GRANT',
    ])
    expect((await verdict(stranger, { record: id })).reasons).toEqual(['NO_GRANT', 'SHARE_WITHOUT_GRANT'])
    expect((await verdict(own, { record: id, action: 'delete' })).decides).toBe('NO_GRANT')
  })

  test('when a share lets them write, but whose it is stays its owner’s', async () => {
    const own = await person('Own', [grant('read'), grant('update')])
    const id = await account({ owner: null })
    await admin.post('/api/core/shares', {
      resource: 'core.account',
      records: [id],
      user: own.who.actor.id,
      access: 'write',
    })
    expect(await verdict(own, { record: id, action: 'update', field: 'city' })).toMatchObject({ allowed: true })
    const owner = await verdict(own, { record: id, action: 'update', field: 'owner' })
    expect(owner).toMatchObject({ allowed: false, decides: 'SHARE_KEEPS_OWNER' })
    expect(owner.changes).not.toContain('SHARE')
  })

  test('when they may change what they do not see', async () => {
    const blind = await person('Blind', [grant('read'), grant('update', { visibility: 'all' })])
    const id = await account({ owner: null })
    const found = await verdict(blind, { record: id, action: 'update' })
    expect(found).toMatchObject({ allowed: false, decides: 'NOT_READABLE' })
    expect(found.reasons).toContain('NOT_OWN')
    expect((await blind.patch(`${accounts}/${id}`, { version: 1, city: 'Dax' })).status).toBe(404)
  })

  test('when a role denies it: which one, and that without it they would', async () => {
    const barred = await person('Barred', [
      grant('read', { visibility: 'all' }),
      grant('read', { visibility: 'all', condition: 'industry = "Arms" or city = "Pau"', deny: true }),
    ])
    const id = await account({ industry: 'Arms', city: 'Lyon' })
    const found = await verdict(barred, { record: id })
    expect(found).toMatchObject({ allowed: false, decides: 'DENY' })
    expect(found.changes).toEqual(['REMOVE_DENY'])
    expect(found.body.decides.because).toMatchObject({
      result: true,
      of: [{ result: true }, { result: false }],
    })
    expect(await verdict(barred, { record: await account({ industry: 'Tin' }) })).toMatchObject({
      allowed: true,
      decides: 'ALL',
    })
  })

  test('when a condition is not met, with the part that failed', async () => {
    const big = await person('Big', [
      grant('read', { visibility: 'all', condition: 'employees >= 100 and city = "Pau"' }),
    ])
    const id = await account({ employees: 500, city: 'Lyon' })
    const found = await verdict(big, { record: id })
    expect(found).toMatchObject({ allowed: false, decides: 'CONDITION_FAILED' })
    expect(found.body.decides.because).toMatchObject({ result: false, of: [{ result: true }, { result: false }] })
    expect(JSON.stringify(found.body.decides.because)).toContain('Pau')
  })

  test('when a role ended, a module is off, somebody left, or the record lies in the bin', async () => {
    const late = await person('Late', [grant('read', { visibility: 'all' })])
    const id = await account()
    const deal = (await admin.post('/api/deals/deals', { name: 'A deal' })).body.data.id
    expect((await verdict(admin, { resource: 'deals.deal', record: deal })).allowed).toBe(true)
    await app.inside((ctx) =>
      sql`update core.role_assignment set until = ${now}::timestamptz where user_id = ${late.who.actor.id}::uuid`.execute(
        ctx.sql,
      ),
    )
    expect((await verdict(late, { record: id })).reasons).toEqual(['NO_GRANT', 'ASSIGNMENT_ENDED'])
    expect((await verdict(late, { record: id })).changes).toContain('RENEW_ROLE')
    const gone = await person('Gone', [grant('read', { visibility: 'all' })])
    await app.inside((ctx) =>
      sql`update core.member set state = 'inactive' where id = ${gone.who.actor.id}::uuid`.execute(ctx.sql),
    )
    expect(await verdict(gone, { record: id })).toMatchObject({
      allowed: false,
      decides: 'ACTOR_GONE',
      changes: ['ACTIVATE'],
    })
    const writer = await person('Writer', [
      grant('read', { visibility: 'all' }),
      grant('update', { visibility: 'all' }),
    ])
    await admin.delete(`${accounts}/${id}?version=1`)
    expect(await verdict(writer, { record: id, action: 'update' })).toMatchObject({
      allowed: false,
      decides: 'RECORD_DELETED',
    })
    await app.app.toggle.disable(app.workspace, 'deals', undefined, false)
    expect(await verdict(admin, { resource: 'deals.deal', record: deal })).toMatchObject({
      allowed: false,
      decides: 'MODULE_OFF',
      changes: ['ENABLE'],
    })
    await app.app.toggle.enable(app.workspace, 'deals', undefined)
  })

  test('when the second wall stands between a partner’s person and a record of the house', async () => {
    const ana = await app.as(personOf(atlas, 'Ana'))
    const id = await account()
    expect(await verdict(ana, { record: id })).toMatchObject({ allowed: false, decides: 'WALL' })
    const deal = (await admin.post('/api/deals/deals', { name: 'Theirs', partner: atlas })).body.data.id
    const found = await verdict(ana, { resource: 'deals.deal', record: deal })
    expect(found.allowed).toBe(true)
    expect(found.reasons).toContain('PARTNER')
  })

  test('when it is a field: closed, masked, computed, open to all', async () => {
    const half = await person('Half', [grant('read', { visibility: 'all' }), grant('update', { visibility: 'all' })], {
      fields: [
        { resource: 'core.account', field: 'annualRevenue', access: 'none' },
        { resource: 'core.account', field: 'phone', access: 'masked' },
        { resource: 'core.account', field: 'industry', access: 'read' },
      ],
    })
    const id = await account()
    for (const [field, action, allowed, code] of [
      ['annualRevenue', 'read', false, 'FIELD_CLOSED'],
      ['phone', 'read', false, 'FIELD_MASKED'],
      ['industry', 'read', true, 'ALL'],
      ['industry', 'update', false, 'FIELD_NOT_WRITABLE'],
      ['phoneNorm', 'update', false, 'FIELD_COMPUTED'],
      ['city', 'update', true, 'ALL'],
      ['createdAt', 'read', true, 'ALL'],
    ] as const)
      expect(await verdict(half, { record: id, action, field }), `${action} ${field}`).toMatchObject({
        allowed,
        decides: code,
      })
  })

  test('when it is a permission beside the records', async () => {
    const auditor = await person('Auditor', [grant('read', { resource: 'core.audit', visibility: 'all' })])
    expect(await verdict(auditor, { resource: 'core.audit', action: 'read' })).toMatchObject({
      allowed: true,
      decides: 'GRANT_ALL',
    })
    expect(await verdict(auditor, { resource: 'core.role', action: 'manage' })).toMatchObject({
      allowed: false,
      decides: 'NO_GRANT',
    })
  })
})

test('everybody asks for themselves, and only who manages roles or reads the audit for others', async () => {
  const self = await person('Self', [grant('read')])
  const other = await person('Other', [grant('read')])
  expect((await explain(self, {}, self)).body.data).toMatchObject({ allowed: true, depends: true })
  expect(await explain(other, {}, self)).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
  // Of a record they do not see they hear what they would of one that never was.
  const hidden = await explain(self, { record: await account() }, self)
  const absent = await explain(self, { record: uuidv7() }, self)
  expect([hidden.status, hidden.body.code]).toEqual([404, 'RECORD_NOT_FOUND'])
  expect([absent.status, absent.body.code]).toEqual([404, 'RECORD_NOT_FOUND'])
  const nothing = await person('Nothing', [])
  const roles = await explain(nothing, {}, nothing)
  expect(roles.body.data).toMatchObject({
    allowed: false,
    decides: { code: 'NO_GRANT' },
    changes: [{ code: 'ASK_ADMINISTRATOR' }],
  })
})

describe('an API key', () => {
  const role = async (...grants: Grant[]) =>
    (await admin.post('/api/core/roles', { name: `Of a key ${uuidv7()}`, grants })).body.data.id as string
  const key = async (of: string) => {
    const { body } = await admin.post('/api/core/api-keys', { name: 'Robot', role: of })
    return body.data as { id: string; key: string }
  }

  test('is explained by its role, which it has for good', async () => {
    const made = await key(await role(grant('read', { visibility: 'all' })))
    const id = await account()
    const reading = await verdict(made.id, { record: id })
    expect(reading).toMatchObject({ allowed: true, decides: 'ALL', changes: ['REVOKE_KEY'] })
    expect(reading.body.actor).toEqual({ id: made.id, name: 'Robot', state: 'active' })
    const changing = await verdict(made.id, { record: id, action: 'update' })
    expect(changing).toMatchObject({ allowed: false, decides: 'NO_GRANT' })
    expect(new Set(changing.changes)).toEqual(new Set(['KEY_OF_ROLE']))
    const own = await key(await role(grant('read')))
    expect(await verdict(own.id, { record: id })).toMatchObject({ allowed: false, decides: 'NOT_OWN' })
    expect((await verdict(own.id, { record: id })).changes).not.toContain('MAKE_OWNER')
    await admin.delete(`/api/core/api-keys/${made.id}`)
    const over = await verdict(made.id, { record: id })
    expect(over).toMatchObject({ allowed: false, decides: 'KEY_OVER', changes: ['MAKE_KEY'] })
    expect(over.body.decides.text).toContain('The key Robot is over')
  })

  test('asks of itself, and of others only as a person may', async () => {
    const made = await key(await role(grant('read', { visibility: 'all' })))
    const ask = async (query: string) => {
      const answer = await app.app.fetch(
        new Request(`http://localhost/api/core/explain?resource=core.account&action=read${query}`, {
          headers: { authorization: `Bearer ${made.key}` },
        }),
      )
      return { status: answer.status, body: await answer.json() }
    }
    expect(await ask('')).toMatchObject({ status: 200, body: { data: { allowed: true, actor: { id: made.id } } } })
    expect(await ask(`&actor=${made.id}`)).toMatchObject({ status: 200 })
    expect(await ask(`&actor=${admin.who.actor.id}`)).toMatchObject({ status: 403 })
    const self = await person('Self', [grant('read')])
    expect(await explain(made.id, {}, self)).toMatchObject({ status: 403 })
  })
})

test('who may ask for others is told which permissions there are to ask about', async () => {
  const auditor = await person('Auditor', [grant('read', { resource: 'core.audit', visibility: 'all' })])
  const { body } = await auditor.get('/api/core/permissions')
  expect(body.data.permissions.map(({ id }: { id: string }) => id)).toContain('core.plugin.toggle')
  expect((await (await person('Nobody', [])).get('/api/core/permissions')).status).toBe(403)
})

test('a condition that looks at what the asker may not read is not told them', async () => {
  const secret = await person('Secret', [grant('read', { visibility: 'all', condition: 'annualRevenue > 1000' })], {
    fields: [{ resource: 'core.account', field: 'annualRevenue', access: 'none' }],
  })
  const id = await account({ annualRevenue: '5000' })
  const own = await explain(secret, { record: id }, secret)
  expect(own.body.data).toMatchObject({ allowed: true, decides: { code: 'ALL' } })
  expect(JSON.stringify(own.body)).not.toContain('annualRevenue')
  expect(JSON.stringify((await explain(secret, { record: id })).body)).toContain('annualRevenue')
})

test('what does not exist is refused with what would do', async () => {
  for (const query of [
    'resource=core.nothing&action=read',
    'resource=core.account&action=read&field=nothing',
    'action=read',
  ])
    expect([400, 422]).toContain((await admin.get(`/api/core/explain?actor=${admin.who.actor.id}&${query}`)).status)
  expect((await explain(uuidv7(), {})).status).toBe(404)
})

test('who sees a record is told by name, each with the rule that lets them, a page at a time', async () => {
  const company = await app.secondWorkspace()
  const region = (await company.admin.post('/api/core/teams', { name: 'Region' })).body.data.id
  const by = async (name: string, grants: Grant[], actor: TestActor = {}) => company.as({ name, grants, ...actor })
  const owner = await by('Owner', [grant('read')])
  await by('Mate', [grant('read', { visibility: 'team' })], { teams: [region] })
  const guest = await by('Guest', [grant('read')])
  await by('Blind', [grant('read')])
  await by('Barred', [grant('read', { visibility: 'all' }), grant('read', { visibility: 'all', deny: true })])
  const made = await company.admin.post(accounts, { name: 'Seen', owner: owner.who.actor.id, team: region })
  const record = made.body.data.id
  await company.admin.post('/api/core/shares', {
    resource: 'core.account',
    records: [record],
    user: guest.who.actor.id,
  })
  const path = `/api/core/explain/readers?resource=core.account&record=${record}`
  const { data, page } = (await company.admin.get(path)).body
  expect(page.next).toBeNull()
  expect(
    data.map(({ name, because }: { name: string; because: { code: string }[] }) => [name, because[0]?.code]),
  ).toEqual([
    ['Claire Admin', 'ALL'],
    ['Guest', 'SHARED'],
    ['Mate', 'TEAM'],
    ['Owner', 'OWNER'],
  ])
  expect((await guest.get(path)).status).toBe(403)
  // Who may not see the record is told no more of who does than of one that never was.
  const auditor = await company.as({ name: 'Auditor', may: ['core.audit.read'] })
  expect((await auditor.get(path)).status).toBe(404)
  const named = `/api/core/explain/readers?resource=core.audit&record=${record}`
  expect((await company.admin.get(named)).status).toBe(404)
  for (let n = 0; n < 60; n += 1)
    await company.inside((ctx) =>
      sql`insert into core.member (id, workspace, name) values (${uuidv7()}::uuid, ${company.workspace.id}::uuid, ${`Many ${n}`})`.execute(
        ctx.sql,
      ),
    )
  const first = (await company.admin.get(path)).body
  const names = [
    ...first.data,
    ...(first.page.next
      ? (await company.admin.get(`${path}&after=${encodeURIComponent(first.page.next)}`)).body.data
      : []),
  ]
  expect(names.map(({ name }: { name: string }) => name)).toEqual(['Claire Admin', 'Guest', 'Mate', 'Owner'])
})

test('twenty roles with conditions and five shares are explained at once', async () => {
  const many = await person('Many', [grant('read')])
  const id = await account({ owner: null })
  for (let n = 0; n < 20; n += 1) {
    const role = await admin.post('/api/core/roles', {
      name: `Role ${n} of many`,
      grants: [grant('read', { condition: `employees >= ${n}` }), grant('update')],
    })
    await app.inside((ctx) =>
      sql`insert into core.role_assignment (id, workspace, role_id, user_id)
        values (${uuidv7()}::uuid, ${app.workspace.id}::uuid, ${role.body.data.id}::uuid, ${many.who.actor.id}::uuid)`.execute(
        ctx.sql,
      ),
    )
  }
  for (let n = 0; n < 5; n += 1)
    await admin.post('/api/core/shares', {
      resource: 'core.account',
      records: [n === 0 ? id : await account()],
      user: many.who.actor.id,
    })
  const found = await verdict(many, { record: id })
  expect(found).toMatchObject({ allowed: true, decides: 'SHARED' })
})

describe('the verdict is what the API does', () => {
  const anyGrant: fc.Arbitrary<Grant> = fc.record(
    {
      resource: fc.constantFrom('core.account', 'core.*', '*'),
      action: fc.constantFrom('read', 'update', 'delete', '*'),
      visibility: fc.constantFrom('own' as const, 'team' as const, 'all' as const),
      condition: fc.constantFrom('industry = "Arms"', 'employees >= 100', 'not (industry = "Arms")', 'owner = me()'),
      deny: fc.boolean(),
    },
    { requiredKeys: ['resource', 'action', 'visibility'] },
  ) as fc.Arbitrary<Grant>
  const anyField: fc.Arbitrary<FieldGrant> = fc.record({
    resource: fc.constant('core.account'),
    field: fc.constantFrom('industry', 'city', '*'),
    access: fc.constantFrom('none' as const, 'masked' as const, 'read' as const, 'write' as const),
  })
  const anyCase = fc.record({
    grants: fc.array(anyGrant, { minLength: 1, maxLength: 5 }),
    fields: fc.array(anyField, { maxLength: 2 }),
    inTeam: fc.boolean(),
    shares: fc.array(fc.constantFrom('none', 'read', 'write'), { minLength: 3, maxLength: 3 }),
    owned: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    teamed: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    industry: fc.array(fc.constantFrom('Arms', 'Tin'), { minLength: 3, maxLength: 3 }),
    employees: fc.array(fc.constantFrom(10, 500), { minLength: 3, maxLength: 3 }),
  })

  test('for roles, shares and records at random', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async (of) => {
        const who = await person('Random', of.grants, { fields: of.fields, ...(of.inTeam ? { teams: [team] } : {}) })
        for (const n of [0, 1, 2]) {
          const id = await account({
            owner: of.owned[n] ? who.who.actor.id : null,
            team: of.teamed[n] ? team : null,
            industry: of.industry[n],
            employees: of.employees[n],
          })
          if (of.shares[n] !== 'none')
            await admin.post('/api/core/shares', {
              resource: 'core.account',
              records: [id],
              user: who.who.actor.id,
              access: of.shares[n],
            })
          const context = JSON.stringify({ of, n })
          const said = async (asked: Asked) => (await verdict(who, { record: id, ...asked })).allowed
          const got = await who.get(`${accounts}/${id}`)
          expect(await said({ action: 'read' }), context).toBe(got.status === 200)
          const industry = got.status === 200 && 'industry' in got.body.data && !got.body.masked
          const isShown = industry && got.body.data.industry === of.industry[n]
          expect(await said({ action: 'read', field: 'industry' }), context).toBe(isShown)
          const city = await said({ action: 'update', field: 'city' })
          expect((await who.patch(`${accounts}/${id}`, { version: 1, city: 'Dax' })).status === 200, context).toBe(city)
          const moved = await said({ action: 'update', field: 'team' })
          const { version } = (await admin.get(`${accounts}/${id}`)).body.data
          const other = of.teamed[n] ? null : team
          const { status } = await who.patch(`${accounts}/${id}`, { version, team: other })
          // Whose roles deny them the teams may not name one: that is about the value.
          if (status !== 422) expect(status === 200, context).toBe(moved)
          const last = (await admin.get(`${accounts}/${id}`)).body.data.version
          const dropped = await said({ action: 'delete' })
          expect((await who.delete(`${accounts}/${id}?version=${last}`)).status === 204, context).toBe(dropped)
        }
      }),
      { numRuns: 12, endOnFailure: true },
    )
  })
})

test('a field that is made of others is explained by the one of them that is hidden', async () => {
  const reader = await person('Half', [{ resource: 'core.contact', action: 'read', visibility: 'all' }], {
    fields: [{ resource: 'core.contact', field: 'lastName', access: 'none' }],
  })
  const { body } = await explain(reader, { resource: 'core.contact', field: 'name' })
  expect(body.data).toMatchObject({ allowed: false, decides: { code: 'FIELD_OF_FORMULA' } })
  expect(body.data.decides.text).toContain('Last name')
  expect((await explain(reader, { resource: 'core.contact', field: 'jobTitle' })).body.data.allowed).toBe(true)
})

describe('why a list shows a record, or does not', () => {
  const whys = (id: string, asked: Readonly<Record<string, string>>, by = admin) =>
    by.get(`${accounts}/${id}/why?${new URLSearchParams(asked)}`)
  const lists = async (id: string, asked: Readonly<Record<string, string>>) => {
    const filter = [`id = "${id}"`, ...(asked['filter'] ? [`(${asked['filter']})`] : [])].join(' and ')
    const { body } = await admin.get(`${accounts}?${new URLSearchParams({ ...asked, filter })}`)
    return body.data.length === 1
  }

  test('what is no id is a record that is not there', async () => {
    expect(await whys('nonsense', {})).toMatchObject({ status: 404, body: { code: 'RECORD_NOT_FOUND' } })
  })

  test('each condition is told with what became of it and the value it met', async () => {
    const parent = await account({ name: `Parent ${uuidv7()}`, city: 'Nantes' })
    const id = await account({ city: 'Lyon', employees: 12, parent, annualRevenue: '1200.50' })
    const filter = 'city = "Lyon" and (employees > 20 or not parent.city ~ "nan" or annualRevenue > 5000)'
    const { body } = await whys(id, { filter })
    expect(body.data).toEqual({
      record: id,
      listed: false,
      deleted: false,
      found: null,
      because: {
        text: filter,
        result: false,
        op: 'and',
        of: [
          { text: 'city = "Lyon"', result: true, actual: 'Lyon' },
          {
            text: 'employees > 20 or not parent.city ~ "nan" or annualRevenue > 5000',
            result: false,
            op: 'or',
            of: [
              { text: 'employees > 20', result: false, actual: 12 },
              {
                text: 'not parent.city ~ "nan"',
                result: false,
                op: 'not',
                of: [{ text: 'parent.city ~ "nan"', result: true, actual: 'Nantes' }],
              },
              { text: 'annualRevenue > 5000', result: false, actual: '1200.5000' },
            ],
          },
        ],
      },
    })
    const counted = await whys(parent, { filter: 'count(accounts, employees > 5) = 2 or sum(accounts.employees) > 1' })
    expect(counted.body.data).toMatchObject({
      listed: true,
      because: {
        of: [
          { result: false, actual: 1 },
          { result: true, actual: '12' },
        ],
      },
    })
  })

  test('it agrees with the list: of conditions, words searched for, the bin, and as it was', async () => {
    const word = `Quaiouest${uuidv7().slice(-6)}`
    const id = await account({ name: `${word} Entrepôts`, city: 'Brest' })
    for (const asked of [
      { filter: 'city = "Brest"' },
      { filter: 'not city ~ "bre"' },
      { filter: 'city = "Brest"', q: word },
      { filter: 'city = "Brest"', q: 'Saltimbanque' },
      { q: word },
      {},
    ]) {
      const { body } = await whys(id, asked)
      expect([asked, body.data.listed]).toEqual([asked, await lists(id, asked)])
    }
    expect((await whys(id, { q: 'Saltimbanque' })).body.data).toMatchObject({ found: false, because: null })
    app.clock.set('2026-03-02T09:05:00Z')
    const before = '2026-03-02T09:02:00Z'
    await admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lorient' })
    const asked = { filter: 'city = "Brest"' }
    expect((await whys(id, asked)).body.data).toMatchObject({ listed: false, because: { actual: 'Lorient' } })
    expect((await whys(id, { ...asked, asOf: before })).body.data).toMatchObject({
      listed: true,
      because: { actual: 'Brest' },
    })
    await admin.delete(`${accounts}/${id}?version=2`)
    expect((await whys(id, {})).body.data).toMatchObject({ listed: false, deleted: true })
  })

  test('a saved view is asked by its id, and says what of it is broken', async () => {
    const id = await account({ city: 'Lyon' })
    const made = await admin.post('/api/core/views', {
      resource: 'core.account',
      name: 'Asked',
      filter: 'city = "Lyon"',
    })
    const view = made.body.data.id
    expect((await whys(id, { view })).body.data).toMatchObject({
      listed: true,
      because: { text: 'city = "Lyon"', actual: 'Lyon' },
      view: { id: view, faults: [] },
    })
    const narrow = await whys(id, { view, filter: 'city = "Nantes"' })
    expect(narrow.body.data).toMatchObject({ listed: false, because: { text: 'city = "Nantes"', actual: 'Lyon' } })
  })

  test('a closed field, a record out of reach and an unreadable filter are refused as a list refuses them', async () => {
    const fields = [{ resource: 'core.account', field: 'employees', access: 'none' } as FieldGrant]
    const own = await app.as({ name: 'Own', grants: [grant('read')], fields })
    const id = await account({ owner: own.who.actor.id, employees: 3, city: 'Lyon' })
    const parent = await account({ owner: null, city: 'Secret' })
    await admin.patch(`${accounts}/${id}`, { version: 1, parent })
    expect(await whys(id, { filter: 'city = "Lyon" and employees > 2' }, own)).toMatchObject({
      status: 403,
      body: { code: 'FIELD_NOT_READABLE' },
    })
    expect(await whys(parent, { filter: 'city = "Lyon"' }, own)).toMatchObject({ status: 404 })
    expect(await whys(id, { filter: 'cty = "Lyon"' }, own)).toMatchObject({ status: 400 })
    // What the record points at is out of reach, so to them it is not there.
    expect((await whys(id, { filter: 'parent.city = "Secret"' }, own)).body.data).toMatchObject({
      listed: false,
      because: { result: false, actual: null },
    })
  })
})
