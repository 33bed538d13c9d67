import { defineError } from '../errors.ts'

export const permissionDenied = defineError<{ permission: string }>(
  'PERMISSION_DENIED',
  403,
  ({ permission }) => `This needs the permission ${permission}. Your administrator can grant it in Roles.`,
)

export const fieldNotWritable = defineError<{ resource: string; field: string }>(
  'FIELD_NOT_WRITABLE',
  403,
  ({ resource, field }) =>
    `You may not change "${field}" of ${resource}. Leave it out, or ask your administrator to grant it in Roles.`,
)

export const notYourPartner = defineError<{ resource: string; field: string }>(
  'PARTNER_NOT_YOURS',
  403,
  ({ resource, field }) =>
    `You write a ${resource} for your own company only. Leave "${field}" out, or give one that you stand for.`,
)

export const sharedNotOwned = defineError<{ resource: string; id: string }>(
  'SHARED_NOT_OWNED',
  403,
  ({ resource, id }) =>
    `You see ${resource} "${id}" because it was shared with you: whose it is and who sees it are not yours to change. Ask whoever shared it.`,
)

export const sharedBeyondReach = defineError<{ name: string }>(
  'SHARED_BEYOND_REACH',
  403,
  ({ name }) =>
    `You see "${name}" and may not change it, so whom it is shared with is not yours to say. Ask its owner, or an administrator.`,
)

// Declared where expressions refuse it, because filters are where most of its refusals happen.
export { fieldNotReadable } from '../records/expression/errors.ts'
