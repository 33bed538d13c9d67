import { format } from '@socle/sdk/ui'

/** A number of bytes as people say it: 2.4 MB. */
export function sizeOf(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const at = Math.min(units.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0)
  const options = {
    style: 'unit',
    unit: units[at],
    unitDisplay: at === 0 ? 'long' : 'short',
    maximumFractionDigits: 1,
  } as const
  return format.number(bytes / 1000 ** at, options)
}
