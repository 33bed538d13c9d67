import { afterAll, describe, expect, test } from 'vitest'
import fr from '../../ui/i18n/fr.json' with { type: 'json' }
import { parseMessage } from '../../ui/message.ts'
import { setShell } from '../../ui/session.ts'
import { hasWords, setEarlyWords, t } from '../../ui/words.ts'
import { shellOf } from './factories.ts'

afterAll(() => {
  setShell(undefined)
  setEarlyWords({})
})

describe('a message', () => {
  test('chooses its plural in the reader’s language', () => {
    const rows = '{count, plural, one {# ligne} other {# lignes}}'
    setShell(shellOf('fr', { rows }))
    expect([0, 1, 2].map((count) => t('rows', { count }))).toEqual(['0 ligne', '1 ligne', '2 lignes'])
    setShell(shellOf('en', { rows: '{count, plural, =0 {no rows} one {# row} other {# rows}}' }))
    expect([0, 1, 2].map((count) => t('rows', { count }))).toEqual(['no rows', '1 row', '2 rows'])
  })

  test('nests selects, plurals with an offset and ordinals', () => {
    const guests =
      '{who, select, a {Ann} other {Someone}} and {n, plural, offset:1 =1 {nobody} one {# guest} other {# guests}}'
    setShell(shellOf('en', { guests, rank: '{n, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}' }))
    expect(t('guests', { who: 'a', n: 1 })).toBe('Ann and nobody')
    expect(t('guests', { who: 'b', n: 3 })).toBe('Someone and 2 guests')
    expect([1, 2, 3, 4].map((n) => t('rank', { n }))).toEqual(['1st', '2nd', '3rd', '4th'])
  })

  test('keeps the apostrophes of French and quotes braces', () => {
    setShell(shellOf('fr', { a: "l'étape {name}", b: "'{'brut'}' {name}", c: "aujourd''hui {name}" }))
    const words = ['a', 'b', 'c'].map((key) => t(key, { name: 'x' }))
    expect(words).toEqual(["l'étape x", '{brut} x', "aujourd'hui x"])
  })

  test('that cannot be read names the place', () => {
    expect(() => parseMessage('{count, plural, one {x}')).toThrow('braces do not match')
    expect(() => parseMessage('a } b')).toThrow('character 3')
  })

  test('unknown is shown by its key; before sign-in the early words serve', () => {
    setShell(undefined)
    setEarlyWords({ 'shell.hello': 'Hello' })
    expect([t('shell.hello'), t('shell.other'), hasWords('shell.other')]).toEqual(['Hello', 'shell.other', false])
  })
})

describe('the kit’s words', () => {
  test('keep French punctuation from standing alone on a line', () => {
    for (const [key, message] of Object.entries(fr)) expect(message, key).not.toMatch(/ [;:!?»]|« /)
  })
})
