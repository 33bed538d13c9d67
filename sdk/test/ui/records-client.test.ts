import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { api, ProblemError } from '../../ui/api.ts'
import { listParameters, records } from '../../ui/records.ts'
import { setShell } from '../../ui/session.ts'
import type { ResourceMeta } from '../../ui/types.ts'
import { shellOf } from './factories.ts'

const opportunity = {
  id: 'sales.opportunity',
  api: '/api/sales/opportunities',
  route: '/sales/opportunities',
} as ResourceMeta
const fetched = vi.fn<typeof fetch>()

beforeEach(() => {
  setShell({ ...shellOf('en'), resources: [opportunity] })
  vi.stubGlobal('fetch', fetched)
})
afterEach(() => {
  fetched.mockReset()
  vi.unstubAllGlobals()
  setShell(undefined)
})

function answer(body: unknown, status = 200, headers: Record<string, string> = {}): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  fetched.mockResolvedValue(
    new Response(JSON.stringify(body), { status, headers: { 'content-type': type, ...headers } }),
  )
}

test('a list asks for what was given and nothing else', () => {
  expect(listParameters({ q: '', sort: '-amount', limit: 50, include: ['account', 'owner'], fields: [] })).toBe(
    '?sort=-amount&limit=50&include=account%2Cowner',
  )
  expect(listParameters({})).toBe('')
})

test('a write carries the version it was made on and answers the change set that undoes it', async () => {
  answer({ data: { id: 'r1', version: 4, amount: '5' } }, 200, { 'x-change-set': 'cs1' })
  const written = await records('sales.opportunity').update('r1', 3, { amount: '5' })
  expect(written).toEqual({ data: { id: 'r1', version: 4, amount: '5' }, changeSet: 'cs1' })
  const [path, init] = fetched.mock.calls[0] ?? []
  expect(path).toBe('/api/sales/opportunities/r1')
  expect(JSON.parse(String(init?.body))).toEqual({ amount: '5', version: 3 })
})

test('a refusal is thrown with its code, its sentence and what is wrong at which field', async () => {
  const errors = [{ path: 'amount', code: 'NEGATIVE', detail: 'Not below 0.' }]
  answer({ title: 'Invalid', status: 422, code: 'INVALID', detail: 'Check the amount.', errors }, 422)
  const error: unknown = await records('sales.opportunity')
    .create({})
    .catch((it: unknown) => it)
  expect(error).toBeInstanceOf(ProblemError)
  expect(error).toMatchObject({ code: 'INVALID', status: 422, detail: 'Check the amount.' })
  expect((error as ProblemError).at('amount')).toBe('Not below 0.')
})

test('a server out of reach is a problem like any other', async () => {
  fetched.mockRejectedValue(new TypeError('fetch failed'))
  await expect(api.get('/api/core/shell')).rejects.toMatchObject({ code: 'OFFLINE', status: 0 })
})

test('headers stand beside the JSON, not in it', async () => {
  answer({ data: [] }, 200, { etag: '"4"' })
  const got = await api.get<{ data: unknown[] }>('/api/core/users')
  expect(got.headers.get('etag')).toBe('"4"')
  expect(Object.keys(got)).toEqual(['data'])
})
