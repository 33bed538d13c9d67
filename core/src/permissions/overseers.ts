/** Any of these lets somebody ask what everybody else may do. */
export const overseers: readonly string[] = ['core.audit.read', 'core.role.manage']
