import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import { unsafeSVG } from 'lit/directives/unsafe-svg.js'
import { choicesOf, currencyOf, format, referred } from './format.ts'
import type { Amount } from './format.ts'
import { drawing } from './icons.ts'
import { recordHref } from './session.ts'
import type { FieldMeta, Included, RecordJson, Tone } from './types.ts'
import { t } from './words.ts'

// Plain templates rather than elements: a table of 10,000 rows cannot pay for a shadow root in every cell.
// They are drawn by the classes in controls.ts.

/** An icon beside its word; alone it needs a label on its button. */
export function icon(name: string): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${unsafeSVG(drawing(name))}</svg>`
}

/** A state: word, colour and a sign that works without colour. */
export function pill(label: string, tone: Tone = 'neutral', iconName?: string): TemplateResult {
  return html`<span class="pill ${tone}">${iconName ? icon(iconName) : nothing}${label}</span>`
}

/** Initials of a person; decorative, because the name stands beside it. */
export function avatar(name: string): TemplateResult {
  return html`<span class="avatar" aria-hidden="true">${initials(name)}</span>`
}

export function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s.]+/)
    .filter(Boolean)
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters
    .map((it) => [...(it ?? '')][0] ?? '')
    .join('')
    .toLocaleUpperCase()
}

export interface ValueOptions {
  readonly record?: RecordJson | undefined
  readonly included?: Included | undefined
  /** False inside grids, where the row or cell takes the focus. */
  readonly links?: boolean
  readonly digits?: 'auto' | 'full'
}

/** A field's value as it stands in cells and on record pages. */
export function valueTemplate(field: FieldMeta, value: unknown, options: ValueOptions = {}): TemplateResult | string {
  if (field.masked) return maskTemplate(format.value(field, value))
  if (value === null || value === undefined || value === '') return ''
  const text = format.value(field, value, options.record, options.included)
  switch (field.type) {
    case 'money': {
      const money = format.money(value as Amount, currencyOf(field, options.record), options.digits ?? 'auto')
      return html`<span class="number">${money}</span>`
    }
    case 'integer':
    case 'decimal':
    case 'percent':
    case 'date':
    case 'instant':
    case 'duration':
      return html`<span class="number">${text}</span>`
    case 'select':
      return optionPill(field, value, text)
    case 'multi-select':
      return html`${choicesOf(value).map((it) => optionPill(field, it, field.options?.find((option) => option.value === it)?.label ?? it))}`
    case 'boolean':
      return value ? html`${icon('check')}<span class="visually-hidden">${text}</span>` : t('kit.value.no')
    case 'user':
      return html`${avatar(text)}<span class="person">${text}</span>`
    case 'reference':
    case 'team':
      return referenceTemplate(field, String(value), text, options)
    case 'email':
      return linked(`mailto:${text}`, text, options)
    case 'phone':
      return linked(`tel:${text.replace(/[^\d+]/g, '')}`, text, options)
    case 'url':
      return linked(safeUrl(text), text.replace(/^https?:\/\/(www\.)?/, '').replace(/\/$/, ''), options)
    default:
      return text
  }
}

/** Said too, since a lock alone tells nothing to who hears the page. */
function maskTemplate(text: string): TemplateResult {
  const words = t('kit.value.masked')
  return html`<span class="masked" title=${words}
    >${icon('lock')}<span class="visually-hidden">${words}</span>${text}</span
  >`
}

function optionPill(field: FieldMeta, value: unknown, text: string): TemplateResult {
  const option = field.options?.find((it) => it.value === value)
  return pill(text, option?.tone ?? 'neutral', option?.icon)
}

function referenceTemplate(field: FieldMeta, id: string, text: string, options: ValueOptions): TemplateResult | string {
  const target = referred(field, id, options.included)
  const tone = target?.['tone']
  if (typeof tone === 'string')
    return pill(text, tone as Tone, typeof target?.['icon'] === 'string' ? target['icon'] : undefined)
  const href = field.target ? recordHref(field.target, id) : undefined
  return text && href ? linked(href, text, options) : text
}

function linked(href: string | undefined, text: string, options: ValueOptions): TemplateResult | string {
  if (!href || options.links === false) return text
  return html`<a class="link" href=${href}>${text}</a>`
}

/** Only the web: a stored `javascript:` address must never become a link. */
function safeUrl(text: string): string | undefined {
  const url = /^https?:\/\//i.test(text) ? text : `https://${text}`
  return URL.canParse(url) ? url : undefined
}
