/** What may be done with any record, in the order a role editor shows it. */
export const recordActions = [
  'read',
  'create',
  'update',
  'delete',
  'restore',
  'import',
  'export',
  'bulk',
  'merge',
] as const
