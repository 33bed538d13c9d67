import { expect, test } from 'vitest'
import { inheritedReach, ownReach, specialGrants, withFieldAccess, withReach } from '../src/settings/role-grants.ts'
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
  expect(specialGrants(without, 'sales.opportunity')).toHaveLength(1)
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
