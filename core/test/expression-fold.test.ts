import { afterAll, beforeAll, expect, test } from 'vitest'
import { fold } from '../src/records/expression/index.ts'
import { createDatabase } from './expression-world.ts'

let world: Awaited<ReturnType<typeof createDatabase>>
beforeAll(async () => {
  world = await createDatabase()
}, 60_000)
afterAll(() => world[Symbol.asyncDispose]())

async function foldedByDatabase(texts: readonly string[]): Promise<string[]> {
  const { rows } = await world.pglite.query<{ folded: string }>(
    'select core.fold(text) as folded from unnest($1::text[]) with ordinality as it(text, place) order by place',
    [texts],
  )
  return rows.map((row) => row.folded)
}

function characters(last: number): string[] {
  const all = Array.from({ length: last }, (_, index) => index + 1)
  return all.filter((code) => code < 0xd800 || code > 0xdfff).map((code) => String.fromCodePoint(code))
}

test('folding in JavaScript and in SQL agree on every letter of Latin, Greek and Cyrillic', async () => {
  const letters = characters(0x2fff).filter((it) => !/[\u24b6-\u24cf\u1c89\u2c2f]/.test(it))
  const folded = await foldedByDatabase(letters)
  const disagreeing = letters.filter((letter, index) => fold(letter) !== folded[index])
  expect(disagreeing).toEqual([])
})

test('beyond that they differ only in letters whose capitals are newer than the database', async () => {
  const all = characters(0x1ffff)
  const folded = await foldedByDatabase(all)
  const disagreeing = all.filter((character, index) => fold(character) !== folded[index])
  expect(disagreeing.filter((it) => fold(it) !== it.toLowerCase())).toEqual([])
  expect(disagreeing.length).toBeLessThan(150)
})

test('names, ligatures, letters with a combining accent and signs fold to what one would type', async () => {
  const texts = [
    'Société Générale',
    'ŒUVRE',
    'Straße',
    'Łódź',
    'İstanbul',
    'e\u0301te\u0301',
    '５０％',
    'ΑΣ',
    'Ærø ½',
    '🎯 Ça',
  ]
  expect(texts.map(fold)).toEqual([
    'societe generale', 'oeuvre', 'strasse', 'lodz', 'istanbul', 'ete', '50%', 'ασ', 'aero  1/2', '🎯 ca',
  ]) // prettier-ignore
  expect(await foldedByDatabase(texts)).toEqual(texts.map(fold))
})
