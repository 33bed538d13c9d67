import type { Resource } from '../registry.ts'
import { titleOf, type ExportRow } from './columns.ts'
import type { WriterParts } from './writers.ts'

const names = [
  'name',
  'firstName',
  'lastName',
  'account',
  'jobTitle',
  'email',
  'phone',
  'mobile',
  'birthDate',
  'language',
  'website',
]

/** Fields a card has room for; none for records that are no people. */
export function vcardFields({ fields }: Resource): readonly string[] {
  const isPerson = fields.has('lastName') && fields.get('email')?.type === 'email'
  return isPerson ? names.filter((name) => fields.has(name)) : []
}

/** A person as a card of version 4.0 (RFC 6350); only what the reader may see is on it. */
export function vcardOf(row: ExportRow, { columns, resource }: WriterParts): string {
  const text = (name: string) => {
    const field = columns.find((column) => column.field.name === name)?.field
    if (!field) return ''
    return field.target === undefined ? String(row.record[name] ?? '') : titleOf(field, row)
  }
  const title = text(resource.title) || `${text('firstName')} ${text('lastName')}`.trim()
  const lines = [
    'BEGIN:VCARD',
    'VERSION:4.0',
    `UID:urn:uuid:${row.record.id}`,
    `FN:${escaped(title)}`,
    `N:${escaped(text('lastName'))};${escaped(text('firstName'))};;;`,
    ...property('ORG', text('account')),
    ...property('TITLE', text('jobTitle')),
    ...property('EMAIL', text('email')),
    ...property('TEL;TYPE=work', text('phone')),
    ...property('TEL;TYPE=cell', text('mobile')),
    ...property('BDAY', text('birthDate').replaceAll('-', '')),
    ...property('LANG', text('language')),
    ...property('URL', text('website')),
    'END:VCARD',
  ]
  return lines.map((line) => `${folded(line)}\r\n`).join('')
}

function property(name: string, value: string): string[] {
  return value === '' ? [] : [`${name}:${escaped(value)}`]
}

function escaped(text: string): string {
  return text.replaceAll(/[\\;,]/g, (sign) => `\\${sign}`).replaceAll(/\r\n?|\n/g, '\\n')
}

/** No line longer than 75 octets, and no character cut in two (RFC 6350 section 3.2). */
function folded(line: string): string {
  const parts: string[] = []
  let part = ''
  for (const sign of line) {
    if (Buffer.byteLength(part + sign) > 74) {
      parts.push(part)
      part = ''
    }
    part += sign
  }
  return [...parts, part].join('\r\n ')
}
