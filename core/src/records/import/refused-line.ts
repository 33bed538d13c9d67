import type { SocleError } from '../../errors.ts'
import type { ImportRow, RowProblem } from './import.ts'

/** A refusal as it is kept with a line. */
export function problemFrom(field: string, { code, message, values }: SocleError): RowProblem {
  return { field, code, detail: message, values }
}

/** A refused line as it stood in the file, with its number and the reasons behind it. */
export function refusedLine(
  { line, problems = [], cells }: ImportRow & { readonly cells: readonly string[] | null },
  width: number,
  label: (field: string) => string,
): string[] {
  const own = Array.from({ length: Math.max(width, cells?.length ?? 0) }, (_, index) => cells?.[index] ?? '')
  const reasons = problems.map(({ field, detail }) => (field === '' ? detail : `${label(field)}: ${detail}`))
  return [...own.slice(0, width), String(line), reasons.join(' ')]
}
