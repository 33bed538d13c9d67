import { globSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sharedResources } from '../src/entities/index.ts'
import { createTestApp, type TestApp } from '../src/testing/index.ts'

const source = new URL('../src/', import.meta.url)
const wordsOf = (locale: string): Record<string, string> =>
  Object.assign(
    {},
    ...globSync(`**/i18n/*${locale}.json`, { cwd: source }).map((file) =>
      JSON.parse(readFileSync(new URL(file, source), 'utf8')),
    ),
  )
const words = { en: wordsOf('en'), fr: wordsOf('fr') }

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(async () => app[Symbol.asyncDispose]())

test('every kind of record, field and choice of the shared base has a name in both languages', () => {
  const { catalog } = app.app.kernel.parts
  const keys = sharedResources.flatMap((definition) => {
    const { id, all } = catalog.of(definition)
    return [
      `${id}.one`,
      `${id}.many`,
      ...all.flatMap(({ name, options = [] }) => [
        `${id}.${name}`,
        ...options.map(({ value }) => `${id}.${name}.${value}`),
      ]),
    ]
  })
  expect(keys.filter((key) => !words.en[key])).toEqual([])
  expect(keys.filter((key) => !words.fr[key])).toEqual([])
})

test('what is said stands in one file, so that none overrides another', () => {
  for (const locale of ['en', 'fr']) {
    const places = new Map<string, string[]>()
    for (const file of globSync(`**/i18n/*${locale}.json`, { cwd: source }))
      for (const key of Object.keys(JSON.parse(readFileSync(new URL(file, source), 'utf8')) as object))
        places.set(key, [...(places.get(key) ?? []), file])
    expect([...places].filter(([, files]) => files.length > 1)).toEqual([])
  }
})

test('every list, form, card and search of the shared base names fields that exist', () => {
  const { catalog } = app.app.kernel.parts
  for (const definition of sharedResources) {
    const { id, fields, options } = catalog.of(definition)
    const named = [
      options.title,
      ...options.list,
      ...(options.form ?? []),
      ...(options.kanban?.card ?? []),
      ...(options.keys ?? []),
      ...(options.search ?? []),
    ]
    const absent = named.filter((path) => {
      const [first = '', second] = path.split('.')
      const field = fields.get(first)
      return !field || (second !== undefined && !catalog.get(field.target ?? '')?.fields.has(second))
    })
    expect(absent, id).toEqual([])
  }
})

test('every refusal of the shared base is said in both languages', () => {
  const text = readFileSync(new URL('entities/errors.ts', source), 'utf8')
  const codes = [...text.matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g)].map(([, code]) => `errors.${code}`)
  expect(codes.length).toBeGreaterThan(20)
  expect(codes.filter((key) => !words.fr[key])).toEqual([])
})

test('no line of a French sentence breaks before its punctuation', () => {
  const { words } = app.app.kernel.parts
  const said = Object.values(words.of('fr', ['core']))
  expect(said.filter((text) => /\S [;:?!»%€]|« /.test(text))).toEqual([])
  expect(said.filter((text) => /\u00a0[;:?!»]/.test(text)).length).toBeGreaterThan(20)
})

test('every event the base tells of on its own can be said in both languages', () => {
  const core = app.app.kernel.parts.plugins.find(({ id }) => id === 'core')
  const keys = (core?.emits ?? []).map(({ name }) => name.replace('.', '.event.'))
  expect(keys.length).toBeGreaterThan(5)
  expect(keys.filter((key) => !words.en[key])).toEqual([])
  expect(keys.filter((key) => !words.fr[key])).toEqual([])
})
