import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { editText, readText, restText } from '../../ui/field-text.ts'
import en from '../../ui/i18n/en.json' with { type: 'json' }
import { setShell } from '../../ui/session.ts'
import { fieldOf, shellOf } from './factories.ts'

beforeEach(() => setShell(shellOf('fr', en)))
afterAll(() => setShell(undefined))

describe('a field', () => {
  test('is edited in plain writing and rests in its full one', () => {
    expect(editText(fieldOf('money'), '12345.6000')).toBe('12345,6')
    expect(restText(fieldOf('money'), '12345.6000', undefined).replace(/\u00a0/g, ' ')).toBe('12 345,60 €')
    expect(editText(fieldOf('instant'), '2026-03-03T23:30:00Z')).toBe('04/03/2026 00:30')
  })

  test('gives amounts as decimal strings and whole numbers as numbers', () => {
    expect(readText(fieldOf('money'), '12 345,6', null)).toEqual({ value: '12345.6' })
    expect(readText(fieldOf('integer'), '1 200', 5)).toEqual({ value: 1200 })
    expect(readText(fieldOf('percent'), '70 %', undefined)).toEqual({ value: 70 })
    expect(readText(fieldOf('decimal'), '1,5', '1.0000')).toEqual({ value: '1.5' })
  })

  test('emptied is null, not an empty text', () => {
    for (const type of ['text', 'money', 'date', 'email'] as const) {
      expect(readText(fieldOf(type), '  ', 'x')).toEqual({ value: null })
    }
  })

  test('that cannot be read answers a sentence with what was typed and how to write it', () => {
    expect(readText(fieldOf('integer'), '1,5', 1).error).toContain('“1,5” is not a number')
    expect(readText(fieldOf('date'), '31/2', null).error).toContain('31/3/2026')
    expect(readText(fieldOf('email'), 'claire', null).error).toContain('@')
    expect(readText(fieldOf('json'), '{', null).error).toContain('JSON')
    expect(readText(fieldOf('text', { maxLength: 3 }), 'abcde', null).error).toContain('2 characters too many')
  })

  test('takes a web address without its scheme, and no script as one', () => {
    expect(readText(fieldOf('url'), 'acme.example/a', null)).toEqual({ value: 'https://acme.example/a' })
    expect(readText(fieldOf('url'), 'javascript:alert(1)', null).error).toBeDefined()
  })
})
