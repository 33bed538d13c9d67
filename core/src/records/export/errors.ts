import { defineError } from '../../errors.ts'

export const exportNotFound = defineError<{ id: string }>(
  'EXPORT_NOT_FOUND',
  404,
  ({ id }) => `There is no export "${id}" of yours. Files are given to those who asked for them.`,
)

export const exportNotReady = defineError<{ state: string }>(
  'EXPORT_NOT_READY',
  409,
  ({ state }) => `The file is not there: its export is ${state}. Wait until it is done, or ask for it again.`,
)

export const exportExpired = defineError<{ at: string }>(
  'EXPORT_EXPIRED',
  410,
  ({ at }) => `The file was kept until ${at}. Export the records again.`,
)

export const exportFormatRefused = defineError<{ format: string; resource: string; formats: string }>(
  'EXPORT_FORMAT_REFUSED',
  422,
  ({ format, resource, formats }) => `${resource} cannot be exported as ${format}. It can be exported as ${formats}.`,
)

export const exportTooLong = defineError<{ limit: number }>(
  'EXPORT_TOO_LONG',
  422,
  ({ limit }) => `A sheet holds ${limit} rows, and there are more. Choose CSV, or narrow the filter.`,
)

export const exportResourceUnknown = defineError<{ resource: string }>(
  'EXPORT_RESOURCE_UNKNOWN',
  422,
  ({ resource }) => `"${resource}" is no kind of record here. Its name reads like core.account.`,
)

export const exportViewBroken = defineError<{ view: string; part: string; detail: string }>(
  'EXPORT_VIEW_BROKEN',
  422,
  ({ view, part, detail }) =>
    `The ${part} of the view "${view}" no longer works. ${detail} Mend the view, then export it.`,
)
