import type { ColumnWish } from './column-widths.ts'
import { currencyOf, format, referred } from './format.ts'
import type { Amount } from './format.ts'
import type { FieldMeta, Included, RecordJson } from './types.ts'

/** A field as a column: how it is aligned, whether it may be cut, with how many digits all its amounts are written. */
export interface TableColumn {
  readonly field: FieldMeta
  readonly isTitle: boolean
  readonly isNumber: boolean
  readonly digits: 'auto' | 'full'
  readonly wish: ColumnWish
}

const numberTypes = new Set(['money', 'integer', 'decimal', 'percent'])
const rigidTypes = new Set([...numberTypes, 'date', 'instant', 'select', 'boolean'])
const padding = 24
const sortSign = 18
const bodyFont = '500 13px "Inter Variable", system-ui, sans-serif'
const titleFont = '600 13px "Inter Variable", system-ui, sans-serif'
const pillFont = '500 12px "Inter Variable", system-ui, sans-serif'
/** Rows looked at; later ones rarely change a width, and 10,000 would take long. */
const sampled = 200

export function isNumberField(field: FieldMeta): boolean {
  return numberTypes.has(field.type)
}

/** The columns of a table, title first, each with the room its content wants. */
export function tableColumns(
  fields: readonly FieldMeta[],
  titleName: string,
  rows: readonly RecordJson[],
  included: Included,
): TableColumn[] {
  const title = fields.find((it) => it.name === titleName) ?? fields[0]
  const ordered = title ? [title, ...fields.filter((it) => it !== title)] : []
  const sample = rows.slice(0, sampled)
  return ordered.map((field) => {
    const digits = field.type === 'money' && sample.some((row) => hasCents(row[field.name])) ? 'full' : 'auto'
    const isTitle = field === title
    return {
      field,
      isTitle,
      isNumber: isNumberField(field),
      digits,
      wish: wishOf(field, isTitle, digits, sample, included),
    }
  })
}

function hasCents(value: unknown): boolean {
  return typeof value === 'string' && /\.0*[1-9]/.test(value)
}

function wishOf(
  field: FieldMeta,
  isTitle: boolean,
  digits: 'auto' | 'full',
  rows: readonly RecordJson[],
  included: Included,
): ColumnWish {
  const head = textWidth(field.label, bodyFont) + padding + (field.sortable ? sortSign : 0)
  const content = contentWidth(field, isTitle, digits, rows, included) + padding
  const ideal = Math.ceil(Math.max(head, content))
  if (isTitle) return { min: Math.min(Math.max(ideal, 140), 200), ideal: Math.min(Math.max(ideal, 160), 360) }
  if (rigidTypes.has(field.type) || isPill(field, rows, included)) return { min: ideal, ideal }
  const soft = Math.min(Math.max(ideal, 72), 240)
  const least = field.type === 'user' ? 136 : 104
  return { min: Math.min(soft, Math.max(least, Math.min(head, 150))), ideal: soft }
}

function isPill(field: FieldMeta, rows: readonly RecordJson[], included: Included): boolean {
  return rows.some((row) => typeof referred(field, String(row[field.name] ?? ''), included)?.['tone'] === 'string')
}

function contentWidth(
  field: FieldMeta,
  isTitle: boolean,
  digits: 'auto' | 'full',
  rows: readonly RecordJson[],
  included: Included,
): number {
  if (field.type === 'select') {
    const pills = (field.options ?? []).map((it) => textWidth(it.label, pillFont) + 14 + (it.icon ? 16 : 0))
    return Math.max(24, ...pills)
  }
  const texts = new Set(rows.map((row) => shownText(field, digits, row, included)))
  const longest = [...texts].sort((a, b) => b.length - a.length).slice(0, 12)
  const font = isTitle ? titleFont : bodyFont
  const beside = field.type === 'user' ? 28 : isPill(field, rows, included) ? 32 : 0
  return Math.max(0, ...longest.map((it) => textWidth(it, font))) + beside
}

function shownText(field: FieldMeta, digits: 'auto' | 'full', row: RecordJson, included: Included): string {
  const value = row[field.name]
  if (field.type === 'money') return format.money(value as Amount, currencyOf(field, row), digits)
  return format.value(field, value, row, included)
}

const measured = new Map<string, number>()
let canvas: CanvasRenderingContext2D | null | undefined

/** Forgets widths taken before the font was there. */
export function forgetTextWidths(): void {
  measured.clear()
}

function textWidth(text: string, font: string): number {
  if (text === '') return 0
  // Figures are tabular: each is as wide as a zero, which the canvas does not know.
  const tabular = text.replace(/\d/g, '0')
  const key = font + tabular
  const known = measured.get(key)
  if (known !== undefined) return known
  canvas ??= document.createElement('canvas').getContext('2d')
  if (!canvas) return tabular.length * 8
  canvas.font = font
  const width = canvas.measureText(tabular).width + 2
  if (measured.size > 5_000) measured.clear()
  measured.set(key, width)
  return width
}
