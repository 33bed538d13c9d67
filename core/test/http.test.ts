import { helloPlugin } from '@socle/example-hello'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, TestClient, type TestApp } from '../src/testing/index.ts'

let app: TestApp
const accounts = '/api/core/accounts'
const metricsToken = 'read by prometheus alone'

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin], metricsToken })
})
afterAll(() => app[Symbol.asyncDispose]())

test('malformed JSON is refused with what is wrong, and the server stays up', async () => {
  for (const [body, code] of [
    ['{"name":', 'BODY_INVALID'],
    ['[]', 'BODY_INVALID'],
    ['"text"', 'BODY_INVALID'],
    ['{"__proto__": {"admin": true}, "name": "x"}', 'BODY_INVALID'],
    ['{"name": "x", "nested": {"deep": true}}', 'VALIDATION_FAILED'],
    [`{"name": "a\\u0000b"}`, 'VALIDATION_FAILED'],
    [JSON.stringify({ name: 'x'.repeat(5_000) }), 'VALIDATION_FAILED'],
  ] as const) {
    const answer = await app.admin.post(accounts, body)
    expect(answer.body.code, body.slice(0, 40)).toBe(code)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(answer.body.requestId).toBeTruthy()
  }
  expect((await app.admin.get(accounts)).status).toBe(200)
})

test('what is refused at the door is known by its request too, in the language of the browser', async () => {
  const { body, headers } = await app.admin.post(
    '/api/auth/sign-in/email',
    { email: 'nobody@example.com' },
    {
      origin: 'http://localhost',
      'accept-language': 'fr',
    },
  )
  expect(body).toMatchObject({ requestId: headers.get('x-request-id'), instance: '/api/auth/sign-in/email' })
  expect(body.status).toBeGreaterThanOrEqual(400)
})

test('a body that cannot be read is told apart, with the place and the way out', async () => {
  for (const [body, detail] of [
    ['{"name": "x",}', 'position 13'],
    ['[]', 'it is […] where a JSON object is expected'],
    ['null', 'it is null where'],
    ['{"__proto__": {}}', 'has a key "__proto__"'],
    [String.raw`{"name": "a\ud800b"}`, 'half a character'],
    [String.raw`{"name": "x", "\udc00": 1}`, 'half a character'],
  ] as const) {
    const answer = await app.admin.post(accounts, body)
    expect(answer, body).toMatchObject({ status: 400, body: { code: 'BODY_INVALID' } })
    expect(answer.body.detail).toContain(detail)
  }
})

test('a bulk that says nothing to do is refused, not done', async () => {
  for (const body of [{}, { set: { city: 'Lyon' } }, { atomic: true }]) {
    const answer = await app.admin.post(`${accounts}/bulk`, body)
    expect(answer, JSON.stringify(body)).toMatchObject({ status: 400, body: { code: 'QUERY_INVALID' } })
  }
  expect(await app.admin.post(`${accounts}/bulk`, { create: [] })).toMatchObject({ status: 200, body: { data: [] } })
})

test('a refusal calls kinds of records by their names in the language of whoever asks', async () => {
  const nobody = '00000000-0000-7000-8000-000000000000'
  const camille = await app.as({ may: ['core.account.read', 'core.activity.read'], locale: 'fr' })
  for (const [path, words] of [
    [`${accounts}/${nobody}`, 'Compte « '],
    [`/api/core/activities/${nobody}`, 'Activité « '],
    [`${accounts}?filter=nme = 1`, 'nme » (Compte)'],
  ] as const) {
    const { body } = await camille.get(path)
    expect(body.detail.replaceAll('\u00a0', ' '), path).toContain(words)
  }
})

test('a body that a route does not take quotes what it refuses and says the way out, in both languages', async () => {
  const claude = await app.as({
    may: ['core.user.manage', 'core.apikey.manage', 'core.workspace.manage'],
    locale: 'fr',
  })
  const claire = await app.as({ may: ['core.user.manage', 'core.apikey.manage', 'core.workspace.manage'] })
  const name = 'N'.repeat(130)
  for (const [method, path, body, en, fr] of [
    [
      'post',
      'api-keys',
      { name: 'X', role: 'nobody' },
      '"nobody" is no id. Give one',
      '« nobody » n’est pas un identifiant',
    ],
    [
      'post',
      'users',
      { name: 'X', email: 'x at y' },
      '"x at y" is no e-mail address',
      '« x at y » n’est pas une adresse',
    ],
    [
      'post',
      'api-keys',
      { name, role: crypto.randomUUID() },
      `"${'N'.repeat(60)}…" is longer than 120`,
      'N… » dépasse 120',
    ],
    [
      'post',
      'api-keys',
      { name: 7, role: crypto.randomUUID() },
      '"7" is of another type. Give a text',
      'Donnez un texte',
    ],
    ['post', 'api-keys', { name: 'X' }, 'Missing. Give a text', 'Valeur absente. Donnez un texte'],
    ['patch', 'workspace', { locale: 'de' }, '"de" is not allowed here. Give one of en, fr', '« de » n’est pas admise'],
    ['patch', 'workspace', { fiscalMonth: 13 }, '"13" is too large. Give 12 at most', '« 13 » est trop grand'],
    ['patch', 'workspace', { colour: 'red' }, 'Unknown here: colour. Leave it out', 'Inconnu ici : colour. Retirez-le'],
  ] as const)
    for (const [client, words] of [
      [claire, en],
      [claude, fr],
    ] as const) {
      const answer = await client[method](`/api/core/${path}`, body)
      expect(answer.body).toMatchObject({ status: 422, code: 'VALIDATION_FAILED' })
      for (const said of [answer.body.errors[0].detail, answer.body.detail])
        expect(said.replaceAll('\u00a0', ' ')).toContain(words)
    }
  const secret = { name: 'X', email: 'x@example.com', password: 'p'.repeat(1_001) }
  const { body } = await claire.post('/api/core/users', secret)
  expect(body.errors[0].detail).toBe('This value is longer than 1000 characters. Shorten it.')
})

test('a limit that is no number is quoted as it was written', async () => {
  for (const path of [accounts, `${accounts}/duplicates`, '/api/core/audit', '/api/core/search'])
    expect((await app.admin.get(`${path}?limit=many`)).body, path).toMatchObject({
      code: 'QUERY_INVALID',
      detail: expect.stringContaining('"many" cannot be used for limit'),
    })
})

test('a NUL in a text that is only looked for is refused, and is no failure', async () => {
  for (const body of [{ name: 'a\u0000b' }, { domain: 'a\u0000.example' }]) {
    const answer = await app.admin.post('/api/core/known-accounts', body)
    expect([answer.status, answer.body.code], JSON.stringify(body)).toEqual([422, 'NUL_REFUSED'])
  }
  const searched = await app.admin.get(`/api/core/search?q=${encodeURIComponent('gar\u0000onne')}`)
  expect(searched.status).toBeLessThan(500)
})

test('a body over one megabyte is refused before it is read whole', async () => {
  const answer = await app.admin.post(accounts, JSON.stringify({ name: 'x'.repeat(1_100_000) }))
  expect(answer).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } })
})

test('query parameters that mean nothing are named, not ignored', async () => {
  for (const [query, code] of [
    ['limit=0', 'QUERY_INVALID'],
    ['limit=201', 'QUERY_INVALID'],
    ['limit=many', 'QUERY_INVALID'],
    ['sort=nothing', 'QUERY_INVALID'],
    ['fields=nothing', 'QUERY_INVALID'],
    ['include=name', 'QUERY_INVALID'],
    ['count=roughly', 'QUERY_INVALID'],
    ['page=2', 'QUERY_INVALID'],
    ['filter=name%20%3D', 'EXPRESSION_INVALID'],
    ['filter=nothing%20%3D%201', 'EXPRESSION_INVALID'],
  ] as const) {
    const answer = await app.admin.get(`${accounts}?${query}`)
    expect([query, answer.status, answer.body.code]).toEqual([query, 400, code])
  }
})

test('a faulty filter says where', async () => {
  const { body } = await app.admin.get(`${accounts}?filter=${encodeURIComponent('name = "x" and city ==')}`)
  expect(body).toMatchObject({ code: 'EXPRESSION_INVALID', position: expect.any(Number) })
  const asJson = await app.admin.post(`${accounts}/query`, { filter: { op: '=', path: 'name' } })
  expect(asJson).toMatchObject({ status: 400, body: { code: 'EXPRESSION_INVALID' } })
})

test('an id that is no id is a record that is not there', async () => {
  for (const id of ['1', "' or 1=1 --", '%00', '../../etc']) {
    expect((await app.admin.get(`${accounts}/${encodeURIComponent(id)}`)).status, id).toBe(404)
  }
})

test('without a session or key every route of the API says how to get one', async () => {
  const stranger = new TestClient(app.app, app.admin.who, {})
  for (const path of [
    accounts,
    '/api/core/shell',
    '/api/core/openapi.json',
    '/api/hello/greetings',
    '/api/core/search?q=x',
    '/api/core/audit',
    '/api/nothing/here',
  ]) {
    expect(await stranger.get(path), path).toMatchObject({ status: 401, body: { code: 'NOT_SIGNED_IN' } })
  }
  for (const path of ['/healthz', '/readyz', '/api/core/boot'])
    expect((await stranger.get(path)).status, path).toBe(200)
})

test('the figures of the process are told to whoever brings its token, and where there is none to nobody', async () => {
  const stranger = new TestClient(app.app, app.admin.who, {})
  const closed = { status: 401, body: { code: 'METRICS_CLOSED' } }
  expect(await stranger.get('/metrics')).toMatchObject(closed)
  expect(await app.admin.get('/metrics')).toMatchObject(closed)
  for (const authorization of [`Bearer ${metricsToken}.`, 'Bearer x', `Basic ${metricsToken}`])
    expect(await stranger.get('/metrics', { authorization }), authorization).toMatchObject(closed)
  const figures = await stranger.raw('GET', '/metrics', undefined, { authorization: `Bearer ${metricsToken}` })
  expect(figures.status).toBe(200)
  expect(await figures.text()).toContain('socle_http_requests_total')
  await using other = await createTestApp({})
  const answer = await other.admin.get('/metrics', { authorization: `Bearer ${metricsToken}` })
  expect(answer).toMatchObject({ status: 404, body: { code: 'ROUTE_NOT_FOUND' } })
})

test('a page of another site cannot act in a visitor’s session', async () => {
  const answer = await app.admin.post(accounts, { name: 'Forged' }, { origin: 'https://evil.example' })
  expect(answer).toMatchObject({ status: 403, body: { code: 'ORIGIN_REFUSED' } })
})

test('an unknown route is named', async () => {
  expect(await app.admin.get('/api/core/nothing')).toMatchObject({ status: 404, body: { code: 'ROUTE_NOT_FOUND' } })
  expect(await app.admin.post(`${accounts}/0193d1a2-0000-7000-8000-0000000000ff/nothing`)).toMatchObject({
    status: 404,
    body: { code: 'ROUTE_NOT_FOUND' },
  })
})

test('the API reference lists each resource and reads without a script', async () => {
  const { body } = await app.admin.get('/api/core/openapi.json')
  expect(body.openapi).toBe('3.1.0')
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining([accounts, `${accounts}/{id}`, '/api/hello/greetings/bulk']),
  )
  expect(body.components.schemas['core.account'].properties.annualRevenue).toMatchObject({ format: 'decimal' })
  const page = await app.admin.get('/api/core/reference')
  expect(page.body).toContain('/api/hello/greetings')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
})

test.runIf(process.env['TEST_DATABASE_URL'])(
  'two who change the same records crosswise are told to send it again, and neither change is half done',
  async () => {
    const [first, second] = await Promise.all(
      ['Crosswise one', 'Elsewhere two'].map(async (name) => (await app.admin.post(accounts, { name })).body.data),
    )
    const change = [first, second].map((it) => ({ id: it?.id, version: it?.version, city: 'Lyon' }))
    const { owner } = app.app.kernel.parts.database
    const lock = (id: string | undefined) => sql`select 1 from core.account where id = ${id}::uuid for update`
    const answer = await owner.transaction().execute(async (tx) => {
      // Whoever looks for a deadlock first gives way: it shall be the request.
      await sql`set local deadlock_timeout = '1min'`.execute(tx)
      await lock(second?.id).execute(tx)
      const sent = app.admin.post(`${accounts}/bulk`, { update: change, atomic: true })
      await pause(300)
      await lock(first?.id).execute(tx)
      return sent
    })
    expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 503, body: { code: 'WRITES_COLLIDED' } })
    expect(answer.headers.get('retry-after')).toBe('1')
    for (const it of [first, second])
      expect((await app.admin.get(`${accounts}/${it?.id}`)).body.data).toMatchObject({ version: 1, city: null })
  },
)

test('the reference tells an integrator the fields of records and the bodies of requests, in both languages', async () => {
  const { body: document } = await app.admin.get('/api/core/openapi.json')
  const bodyOf = (path: string) =>
    document.paths[path].post.requestBody.content['application/json'].schema.properties ?? {}
  expect(Object.keys(bodyOf(`${accounts}/aggregate`))).toContain('measures')
  expect(Object.keys(bodyOf(`${accounts}/board`))).toContain('by')
  expect(Object.keys(bodyOf(`${accounts}/bulk`))).toEqual(expect.arrayContaining(['create', 'update', 'delete']))
  expect(Object.keys(bodyOf(`${accounts}/query`))).toContain('filter')
  const camille = await app.as({ grants: [{ resource: '*', action: '*', visibility: 'all' }], locale: 'fr' })
  for (const [reader, words] of [
    [app.admin, ['API reference', 'Annual revenue', 'measures', 'Make a key in Settings']],
    [camille, ['Référence de l’API', 'Chiffre d’affaires annuel', 'measures', 'Créez une clé dans Réglages']],
  ] as const) {
    const page = await reader.get('/api/core/reference')
    for (const word of words) expect(page.body, word).toContain(word)
  }
})
