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
      // Whether what supports is shared by few or by many is for the database to see: either way it is found.
      for (const isCrowded of [false, true]) {
        const found = asked.some(({ kind, finds }) => {
          const likeness = likenessOf.get(kind)!
          if (finds === undefined) return false
          if (finds === 'few') return !isCrowded && likeness === 1
          return likeness === 1 || ((finds === 'close' || (finds === 'crowded' && isCrowded)) && likeness >= alike)
        })
        expect(found).toBe(true)
      }
    }),
    { numRuns: 5_000 },
  )
})

test('a name that says too little finds nobody by itself, and close ones beside an account by those who share it', () => {
  const weights = new Map([
    ['email', 90],
    ['name', 45],
    ['account', 25],
  ])
  const value = (kind: string) => ({ probe: 0, kind, near: kind === 'name', supports: kind === 'account' })
  const finds = (...kinds: string[]) => {
    const { asked, alike } = findersAmong(kinds.map(value), weights, 50)
    return { alike, finds: Object.fromEntries(asked.map((it) => [it.kind, it.finds])) }
  }
  expect(finds('email', 'name').finds).toEqual({ email: 'equal', name: undefined })
  const beside = finds('email', 'name', 'account')
  expect(beside.finds).toEqual({ email: 'equal', name: 'crowded', account: 'few' })
  expect(beside.alike).toBeCloseTo(0.73, 1)
})
