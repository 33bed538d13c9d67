import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import { localTime } from './columns.ts'

export type SheetCell =
  | { readonly type: 'text' | 'number' | 'date'; readonly text: string }
  /** ISO instant, shown as the zone's clocks do. */
  | { readonly type: 'instant'; readonly text: string; readonly zone: string }

const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const relations = 'http://schemas.openxmlformats.org/package/2006/relationships'
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const types = 'application/vnd.openxmlformats-officedocument.spreadsheetml'

/** The workbook around its one sheet (ECMA-376 part 1, chapter 18). Style 1 shows a date, 2 a date and a time. */
const around: Readonly<Record<string, string>> = {
  '[Content_Types].xml': `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${types}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${types}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${types}.styles+xml"/></Types>`,
  '_rels/.rels': `<Relationships xmlns="${relations}"><Relationship Id="rId1" Type="${office}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  'xl/workbook.xml': `<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="Socle" sheetId="1" r:id="rId1"/></sheets></workbook>`,
  'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${relations}"><Relationship Id="rId1" Type="${office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="${office}/styles" Target="styles.xml"/></Relationships>`,
  'xl/styles.xml': `<styleSheet xmlns="${main}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>`,
}

/** @param nth - number of the row in its sheet, from 0 */
export function sheetRow(cells: readonly SheetCell[], nth: number): string {
  return `<row r="${nth + 1}">${cells.map((cell, at) => written(cell, `${lettersOf(at)}${nth + 1}`)).join('')}</row>`
}

function written(cell: SheetCell, place: string): string {
  if (cell.text === '') return ''
  // A sheet's days begin with 1900; what was before is told in words.
  if (cell.type === 'date' && cell.text >= '1900-01-01')
    return `<c r="${place}" s="1"><v>${serialOf(`${cell.text}T00:00:00Z`)}</v></c>`
  if (cell.type === 'instant') {
    const shown = localTime(cell.text, cell.zone).setZone('utc', { keepLocalTime: true }).toISO() ?? cell.text
    return `<c r="${place}" s="2"><v>${serialOf(shown)}</v></c>`
  }
  // A spreadsheet keeps 15 digits of a number; one with more would come back as another.
  if (cell.type === 'number' && cell.text.replaceAll(/\D/g, '').length <= 15)
    return `<c r="${place}"><v>${cell.text}</v></c>`
  return `<c r="${place}" t="inlineStr"><is><t xml:space="preserve">${escaped(cell.text)}</t></is></c>`
}

/** Days since the end of 1899, with a 29 February 1900 that never was. */
function serialOf(instant: string): number {
  const days = Date.parse(instant) / 86_400_000 + 25_569
  return days < 61 ? days - 1 : days
}

function lettersOf(at: number): string {
  const first = Math.floor(at / 26)
  return `${first > 0 ? lettersOf(first - 1) : ''}${String.fromCharCode(65 + (at % 26))}`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      .replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
      .replaceAll(/[&<>]/g, (sign) => entities[sign] ?? sign)
      // oxlint-disable-next-line no-control-regex -- XML has no room for them; a sheet writes them so
      .replaceAll(/[\u0000-\u0008\u000b\u000c\r\u000e-\u001f\ufffe\uffff]/g, (sign) => {
        return `_x${sign.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}_`
      })
  )
}

/** A workbook around the rows of its sheet, packed as they come. */
export async function* zipped(rows: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile()
  for (const [path, text] of Object.entries(around)) zip.addBuffer(Buffer.from(declaration + text), path)
  const sheet = async function* () {
    yield Buffer.from(`${declaration}<worksheet xmlns="${main}"><sheetData>`)
    yield* rows
    yield Buffer.from('</sheetData></worksheet>')
  }
  const source = Readable.from(sheet(), { objectMode: false })
  const output = zip.outputStream as Readable
  source.on('error', (error) => output.destroy(error))
  zip.addReadStream(source, 'xl/worksheets/sheet1.xml')
  zip.end()
  yield* output
}
