import { expect, test } from 'vitest'
import {
  exceptionsIn,
  inheritedReach,
  isIdle,
  ownReach,
  withException,
  withFieldAccess,
  withReach,
} from '../src/settings/role-grants.ts'
import type { Grant } from '../src/settings/settings-api.ts'

const grants: readonly Grant[] = [
  { resource: 'sales.*', action: 'read', visibility: 'team' },
  { resource: 'sales.opportunity', action: 'update', visibility: 'own' },
  { resource: 'sales.opportunity', action: 'delete', visibility: 'all', condition: 'amount < 1000' },
]

test('a line on a whole module reaches its kinds of records', () => {
  expect(inheritedReach(grants, 'sales.opportunity', 'read')).toBe('team')
  expect(inheritedReach(grants, 'core.account', 'read')).toBe('none')
})

test('everything on everything reaches every action', () => {
  expect(inheritedReach([{ resource: '*', action: '*' }], 'core.account', 'export')).toBe('all')
})

test('a grant with a condition is kept when the plain one is taken out', () => {
  const without = withReach(grants, 'sales.opportunity', 'delete', 'none')
  expect(ownReach(without, 'sales.opportunity', 'delete')).toBeUndefined()
  expect(exceptionsIn(without)).toEqual([grants[2]])
})

test('setting a reach twice leaves one line', () => {
  const once = withReach(grants, 'sales.opportunity', 'update', 'team')
  expect(withReach(once, 'sales.opportunity', 'update', 'all').filter((it) => it.action === 'update')).toEqual([
    { resource: 'sales.opportunity', action: 'update', visibility: 'all' },
  ])
})

test('a field that may be written needs no line', () => {
  const closed = withFieldAccess([], 'sales.opportunity', 'amount', 'none')
  expect(closed).toHaveLength(1)
  expect(withFieldAccess(closed, 'sales.opportunity', 'amount', 'write')).toEqual([])
})

test('an exception that is changed keeps its place, and one that is taken out leaves the others', () => {
  const [first, second, old] = [grants[0]!, grants[1]!, grants[2]!]
  const now = { ...old, condition: 'amount < 500' }
  expect(withException(grants, old, now)).toEqual([first, second, now])
  expect(withException(grants, undefined, now)).toEqual([...grants, now])
  expect(withException(grants, old, undefined)).toEqual([first, second])
})

test('a condition grants nothing where a plain line reaches as far', () => {
  const reading: Grant = { resource: 'sales.opportunity', action: 'read', condition: 'amount < 1000' }
  expect(isIdle(grants, { ...reading, visibility: 'team' })).toBe(true)
  expect(isIdle(grants, { ...reading, visibility: 'all' })).toBe(false)
  expect(isIdle(grants, { ...reading, visibility: 'own', deny: true })).toBe(false)
})
