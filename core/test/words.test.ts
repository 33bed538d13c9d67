import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { Locale } from '../src/actor.ts'
import { wordFaults } from '../src/word-faults.ts'
import { localeOf } from '../src/words.ts'

const root = join(import.meta.dirname, '../..')

test('everything said here is said in both languages, over values that are there', () => {
  const folders = new Map<string, Record<Locale, Record<string, string>>>()
  const files = globSync('{core,sdk,ui-shell,plugins/*,examples/*}/**/i18n/*.json', {
    cwd: root,
    exclude: (name) => name === 'node_modules' || name === 'dist',
  })
  for (const file of files) {
    const words = folders.get(dirname(file)) ?? { en: {}, fr: {} }
    folders.set(dirname(file), words)
    Object.assign(words[localeOf(file)!], JSON.parse(readFileSync(join(root, file), 'utf8')))
  }
  expect(folders.size).toBeGreaterThan(4)
  expect([...folders].flatMap(([folder, words]) => wordFaults(words).map((fault) => ({ folder, ...fault })))).toEqual(
    [],
  )
})
