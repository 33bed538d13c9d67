import { currencyOf, format } from './format.ts'
import type { Amount } from './format.ts'
import { parse } from './parse.ts'
import { locale } from './session.ts'
import type { FieldMeta, RecordJson } from './types.ts'
import { t } from './words.ts'

/** What typed text means for a field: a value as REST takes it, or a sentence why it cannot be read. */
export type Reading = { readonly value: unknown; readonly error?: undefined } | { readonly error: string }

/** The text in which a value is edited: no grouping, no currency, the reader's decimal sign. */
export function editText(field: FieldMeta, value: unknown): string {
  if (value === null || value === undefined) return ''
  switch (field.type) {
    case 'money':
    case 'decimal':
    case 'integer':
    case 'percent': {
      const plain = String(value)
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '')
      return locale() === 'fr' ? plain.replace('.', ',') : plain
    }
    case 'duration':
      return format.duration(Number(value))
    case 'instant':
      return typeof value === 'string' ? `${format.date(parse.dayOf(value), 'short')} ${format.time(value)}` : ''
    case 'json':
      return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
    default:
      return String(value)
  }
}

/** The text that stands in a field nobody is typing in. */
export function restText(field: FieldMeta, value: unknown, record: RecordJson | undefined): string {
  if (field.type === 'money') return format.money(value as Amount, currencyOf(field, record))
  return field.type === 'percent' || field.type === 'decimal' || field.type === 'integer'
    ? format.value(field, value, record)
    : editText(field, value)
}

/**
 * Reads what was typed.
 *
 * @param previous - the value before: a number stays a number, a decimal string a string
 */
export function readText(field: FieldMeta, text: string, previous: unknown): Reading {
  if (text.trim() === '') return { value: null }
  switch (field.type) {
    case 'money':
      return readNumber(parse.money(text), text)
    case 'decimal':
      return readNumber(parse.number(text), text)
    case 'percent':
      return numeric(readNumber(parse.percent(text), text), previous)
    case 'integer': {
      const read = parse.number(text)
      return numeric(readNumber(read?.includes('.') ? undefined : read, text), previous)
    }
    case 'duration': {
      const value = parse.duration(text)
      return value === undefined ? { error: t('kit.field.duration', { value: text.trim() }) } : { value }
    }
    case 'date': {
      const value = parse.date(text)
      return value === undefined ? { error: t('kit.field.date', { value: text }) } : { value }
    }
    case 'instant': {
      const value = parse.instant(text)
      return value === undefined ? { error: t('kit.field.instant', { value: text }) } : { value }
    }
    case 'email':
      return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim())
        ? { value: text.trim() }
        : { error: t('kit.field.email', { value: text.trim() }) }
    case 'url':
      return readUrl(text.trim())
    case 'json':
      return readJson(text)
    default:
      return readLine(field, text)
  }
}

function readLine(field: FieldMeta, text: string): Reading {
  const value = field.type === 'long' ? text : text.trim()
  const max = field.maxLength
  const over = max === undefined ? 0 : value.length - max
  return over > 0 && max !== undefined ? { error: t('kit.field.tooLong', { over, max }) } : { value }
}

function readNumber(value: string | undefined, text: string): Reading {
  return value === undefined ? { error: t('kit.field.number', { value: text.trim() }) } : { value }
}

function numeric(reading: Reading, previous: unknown): Reading {
  if (reading.error !== undefined || typeof previous === 'string') return reading
  return { value: Number(reading.value) }
}

function readUrl(text: string): Reading {
  const url = /^[a-z][a-z\d+.-]*:/i.test(text) ? text : `https://${text}`
  const isWeb = URL.canParse(url) && /^https?:\/\/[^/]*\./.test(url)
  return isWeb ? { value: url } : { error: t('kit.field.url', { value: text }) }
}

function readJson(text: string): Reading {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return { error: t('kit.field.json', { reason: error instanceof Error ? error.message : '' }) }
  }
}
