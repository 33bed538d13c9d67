import { refuseTransition } from '../../entities/errors.ts'
import { defineError } from '../../errors.ts'

export type FileFault =
  | 'empty'
  | 'no_lines'
  | 'workbook'
  | 'texts'
  | 'json'
  | 'cards'
  | 'encoding'
  | 'quote'
  | 'record_too_long'
  | 'header_empty'
  | 'header_duplicate'
  | 'too_many_columns'
  | 'unreadable'

const faults: Readonly<Record<FileFault, (line: number, value: string) => string>> = {
  empty: () => 'it is empty. Choose a file with a header line and at least one line below it.',
  no_lines: () => 'below its header there is no line. Choose a file with at least one.',
  workbook: (_, value) => `the workbook is damaged: ${value}. Save it again as .xlsx, or its sheet as CSV.`,
  texts: () => 'its texts are larger than a workbook of this kind is read with. Save the sheet as CSV.',
  json: (line, value) =>
    `record ${line} is not an object of names and values: ${value}. Send a list of objects, or one object on each line.`,
  cards: () => 'none of its cards goes from BEGIN:VCARD to END:VCARD with something between. Export them again.',
  encoding: (line) => `line ${line} has characters that are not UTF-8, as the rest is. Save it again as UTF-8.`,
  quote: (line) => `a quotation mark opens in line ${line} and never closes. Close or remove it.`,
  record_too_long: (line) =>
    `the record that starts in line ${line} is over a million characters long. Is a quotation mark left open there?`,
  header_empty: (line, value) => `column ${value} has no name in line ${line}. Name it, or remove the column.`,
  header_duplicate: (line, value) => `two columns are named "${value}" in line ${line}. Rename one of them.`,
  too_many_columns: (_, value) => `its header has ${value} columns; at most 500 are read. Remove some.`,
  unreadable: (line, value) => `line ${line} cannot be read: ${value}. Correct it and choose the file again.`,
}

export const importFileInvalid = defineError<{ reason: FileFault; line: number; value: string }>(
  'IMPORT_FILE_INVALID',
  422,
  ({ reason, line, value }) => `The file cannot be imported: ${faults[reason](line, value)}`,
)

export const importFileTooLarge = defineError<{ limit: string }>(
  'IMPORT_FILE_TOO_LARGE',
  413,
  ({ limit }) => `The file is larger than ${limit}. Split it and import the parts one after the other.`,
)

export const fileTypeRefused = defineError<{ kind: string }>(
  'FILE_TYPE_REFUSED',
  415,
  ({ kind }) => `This file is ${kind}, which is not read here. Choose a CSV, TSV, Excel (.xlsx), JSON or vCard file.`,
)

/** Of this code there is another sentence, of archives that hold a plugin; its reasons tell them apart. */
export const archiveRefused = defineError<{ reason: 'ratio'; limit: number }>(
  'ARCHIVE_REFUSED',
  422,
  ({ limit }) =>
    `The file unpacks to more than ${limit} times its size, as files made to fill a disk do. Save its sheet as CSV and choose that file.`,
)

export const importFileMissing = defineError(
  'IMPORT_FILE_MISSING',
  422,
  () => 'There is no file in the request. Send multipart/form-data with the parts "resource" and "file".',
)

export const importNotFound = defineError<{ id: string }>(
  'IMPORT_NOT_FOUND',
  404,
  ({ id }) => `There is no import "${id}" of yours. Imports are seen by those who started them.`,
)

export const recipeNotFound = defineError<{ id: string }>(
  'IMPORT_RECIPE_NOT_FOUND',
  404,
  ({ id }) => `There is no recipe "${id}" of yours or shared with you for this kind of record.`,
)

export const importResourceClosed = defineError<{ resource: string }>(
  'IMPORT_RESOURCE_CLOSED',
  422,
  ({ resource }) => `"${resource}" is not filled from files. Choose another kind of record.`,
)

export type MappingFault =
  'column_unknown' | 'field_closed' | 'field_twice' | 'target_off' | 'by_unknown' | 'key' | 'date_format' | 'nothing'

const mappingFaults: Readonly<Record<MappingFault, (value: string) => string>> = {
  column_unknown: () => 'the file has no such column',
  field_closed: (value) => `${value} is not yours to fill`,
  field_twice: (value) => `${value} is filled by another column already`,
  target_off: () => 'what it refers to is switched off here',
  by_unknown: (value) => `records are not found by ${value}`,
  key: () => 'records are found by a field of text that a column fills',
  date_format: () => 'a date format reads like DD/MM/YYYY',
  nothing: () => 'none of its columns is imported',
}

export const importMappingInvalid = defineError<{ column: string; reason: MappingFault; value: string }>(
  'IMPORT_MAPPING_INVALID',
  422,
  ({ column, reason, value }) => `"${column}" cannot be mapped so: ${mappingFaults[reason](value)}.`,
)

/** The import is in no state for what is asked of it. */
export const importStateRefused = refuseTransition<{ state: string; action: string }>(
  'import',
  ({ state, action }) => `The import is ${state}, so it cannot be ${action}. ${wayOut[state] ?? 'Rehearse it first.'}`,
)

const wayOut: Readonly<Record<string, string>> = {
  rehearsing: 'Wait until the rehearsal is over, or cancel it.',
  rehearsed: 'Run it first.',
  running: 'Pause it, cancel it, or wait until it is done.',
  paused: 'Let it go on, or cancel it.',
  done: 'Upload the file again to import it once more.',
  failed: 'Rehearse it again first.',
  cancelled: 'Rehearse it again, or roll it back.',
  rolling_back: 'Wait until it is rolled back.',
  rolled_back: 'Upload the file again to import it once more.',
}

// What a line can be refused for, beside what the write path itself refuses --------------------------------------------

export const cellCount = defineError<{ cells: number; columns: number }>(
  'IMPORT_CELL_COUNT',
  422,
  ({ cells, columns }) => `This line has ${cells} cells where the header has ${columns}.`,
)

export const referenceUnknown = defineError<{ value: string; target: string; by: string }>(
  'IMPORT_REFERENCE_UNKNOWN',
  422,
  ({ value, target, by }) => `There is no ${target} with ${by} "${value}".`,
)

export const referenceAmbiguous = defineError<{ value: string; target: string; by: string; count: number }>(
  'IMPORT_REFERENCE_AMBIGUOUS',
  422,
  ({ value, target, by, count }) => `${count} records of ${target} have ${by} "${value}", so it names none of them.`,
)

export const referenceLineRefused = defineError<{ value: string; line: number }>(
  'IMPORT_REFERENCE_REFUSED',
  422,
  ({ value, line }) => `It refers to "${value}" in line ${line}, which was refused.`,
)

export const referenceCircular = defineError<{ value: string }>(
  'IMPORT_REFERENCE_CIRCULAR',
  422,
  ({ value }) => `It refers to "${value}", which in turn waits for this line.`,
)

export const keyRepeated = defineError<{ value: string; line: number }>(
  'IMPORT_KEY_REPEATED',
  422,
  ({ value, line }) => `"${value}" stands in line ${line} already, and only one record can have it.`,
)

export const lineBreaksRule = defineError<{ reason: string }>(
  'RULE_BROKEN',
  422,
  ({ reason }) => `The database refuses this line: ${reason}. Correct what it names.`,
)

export const dateAmbiguous = defineError<{ value: string }>(
  'IMPORT_DATE_AMBIGUOUS',
  422,
  ({ value }) => `"${value}" can be read two ways. Say how dates are written in this file.`,
)
