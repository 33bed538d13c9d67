import { defineError } from '../../errors.ts'

export const notShareable = defineError<{ resource: string }>(
  'NOT_SHAREABLE',
  422,
  ({ resource }) => `Records of ${resource} are not shared one by one. Give a role that reads them instead.`,
)

export const shareExists = defineError<{ name: string }>(
  'SHARE_EXISTS',
  409,
  ({ name }) => `This is shared with ${name} already. Change that share instead of adding another.`,
)
