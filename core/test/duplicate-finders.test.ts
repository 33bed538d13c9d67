import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findersAmong, scoreOf } from '../src/records/duplicates/score.ts'

const kinds = ['a', 'b', 'c', 'd']
const declared = fc.uniqueArray(
  fc.record({
    kind: fc.constantFrom(...kinds),
    weight: fc.integer({ min: 1, max: 100 }),
    near: fc.boolean(),
    supports: fc.boolean(),
    // What a record has in common: nothing, a close spelling, the same.
    likeness: fc.oneof(fc.constant(0), fc.double({ min: 0.5, max: 1, noNaN: true }), fc.constant(1)),
  }),
  { minLength: 1, selector: ({ kind }) => kind },
)

test('no record is missed that would be suspect, however few values are let find', () => {
  fc.assert(
    fc.property(declared, fc.constantFrom(35, 50, 70), (keys, from) => {
      const weights = new Map(keys.map(({ kind, weight }) => [kind, weight]))
      const probes = keys.map(({ kind, near, supports }) => ({ probe: 0, kind, near: near && !supports, supports }))
      const { asked, alike } = findersAmong(probes, weights, from)
      const likenessOf = new Map(
        keys.map(({ kind, likeness, near, supports }) => [kind, near && !supports ? likeness : Math.floor(likeness)]),
      )
      const reasons = [...likenessOf].map(([kind, likeness]) => ({ kind, likeness }))
      const isSuspect = scoreOf(reasons, weights) >= from
      const isFindable = probes.some(({ kind, supports }) => !supports && likenessOf.get(kind)! > 0)
      fc.pre(isSuspect && isFindable)
      const found = asked.some(({ kind, supports, closely }) => {
        const likeness = likenessOf.get(kind)!
        return !supports && (likeness === 1 || (closely && likeness >= alike))
      })
      expect(found).toBe(true)
    }),
    { numRuns: 5_000 },
  )
})

test('a name that says too little finds nobody by itself, and only much alike beside an account', () => {
  const weights = new Map([
    ['email', 90],
    ['name', 45],
    ['account', 25],
  ])
  const value = (kind: string) => ({ probe: 0, kind, near: kind === 'name', supports: kind === 'account' })
  const alone = findersAmong(['email', 'name'].map(value), weights, 50)
  expect(alone.asked.map(({ kind, supports, closely }) => [kind, supports, closely])).toEqual([
    ['email', false, false],
    ['name', true, false],
  ])
  const beside = findersAmong(['email', 'name', 'account'].map(value), weights, 50)
  expect(beside.asked.map(({ kind, supports, closely }) => [kind, supports, closely])).toEqual([
    ['email', false, false],
    ['name', false, true],
    ['account', true, false],
  ])
  expect(beside.alike).toBeCloseTo(0.73, 1)
})
