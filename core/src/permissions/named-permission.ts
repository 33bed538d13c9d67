/** `sales.quote.send` as a grant says it: what it is about, and the verb. */
export function partsOfPermission(permission: string): { resource: string; action: string } {
  const dot = permission.lastIndexOf('.')
  return { resource: permission.slice(0, Math.max(dot, 0)), action: permission.slice(dot + 1) }
}

/** `core.account` is covered by itself, by `core.*` and by `*`. */
export function coversResource(pattern: string, resource: string): boolean {
  if (pattern === '*' || pattern === resource) return true
  return pattern.endsWith('.*') && resource.startsWith(pattern.slice(0, -1))
}

export function coversAction(pattern: string, action: string): boolean {
  return pattern === '*' || pattern === action
}
