import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, type TestApp } from '../testing/index.ts'
import { parseMessage, printMessage } from '../ui/message.ts'

// The server says messages by intl-messageformat, the browser by the kit’s own printer (core/decisions/0010).
const root = join(import.meta.dirname, '../..')
const files = globSync('{core,sdk,ui-shell,plugins/*,examples/*}/**/i18n/*.json', {
  cwd: root,
  exclude: (name) => name === 'node_modules' || name === 'dist',
})

/** Every message under a key of its own: the same key may stand in two files. */
const messages = { en: new Map<string, string>(), fr: new Map<string, string>() }
for (const file of files) {
  const own = JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, string>
  for (const [key, message] of Object.entries(own))
    messages[file.endsWith('fr.json') ? 'fr' : 'en'].set(`${file} ${key}`, message)
}

let app: TestApp
const folder = mkdtempSync(join(tmpdir(), 'socle-messages-'))
beforeAll(async () => {
  app = await createTestApp()
  for (const locale of ['en', 'fr'] as const)
    writeFileSync(join(folder, `${locale}.json`), JSON.stringify(Object.fromEntries(messages[locale])))
  app.app.kernel.parts.words.add('all', pathToFileURL(`${folder}/`))
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await app[Symbol.asyncDispose]()
})

/** Values that meet every plural and each choice of a message, texts with what a message gives a meaning. */
function valuesFor(message: string): Record<string, string | number>[] {
  const text = JSON.stringify(parseMessage(message))
  const numbers = [...text.matchAll(/"kind":"(?:plural|selectordinal|number)","name":"(\w+)"/g)].map((it) => it[1]!)
  const times = [...text.matchAll(/"kind":"(?:date|time)","name":"(\w+)"/g)].map((it) => it[1]!)
  const names = [...text.matchAll(/"name":"(\w+)"/g)].map((it) => it[1]!)
  const choices = ["a {b} l’été # 'x'", ...[...text.matchAll(/"(\w+)":\[/g)].map((it) => it[1]!)]
  return [0, 1, 2, 3, 5, 21, 1_000_000].flatMap((count) =>
    choices.map((choice) =>
      Object.fromEntries(
        names.map((name) => [
          name,
          numbers.includes(name) ? count : times.includes(name) ? '2026-03-29T10:30:00Z' : choice,
        ]),
      ),
    ),
  )
}

// French groups figures by a space of which the kit takes a wider one.
const spaced = (text: string) => text.replaceAll('\u202f', '\u00a0')

test('every message of the platform is said in the browser as on the server', () => {
  const { words } = app.app.kernel.parts
  expect(files.length).toBeGreaterThan(10)
  let compared = 0
  for (const locale of ['en', 'fr'] as const) {
    // As they are sent to the browser: French comes with its spaces set.
    const sent = words.of(locale, ['all'])
    for (const key of messages[locale].keys()) {
      const message = sent[key] ?? ''
      const parts = parseMessage(message)
      if (parts.some((part) => typeof part !== 'string' && (part.kind === 'date' || part.kind === 'time'))) continue
      for (const values of valuesFor(message)) {
        compared += 1
        expect(spaced(printMessage(parts, values, locale)), key).toBe(spaced(words.say(locale, key, values)))
      }
    }
  }
  expect(compared).toBeGreaterThan(5_000)
})
