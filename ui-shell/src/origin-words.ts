import { resource, t } from '@socle/sdk/ui'

const origins: ReadonlySet<string> = new Set([
  'ui',
  'api',
  'import',
  'bulk',
  'job',
  'event',
  'undo',
  'system',
  'demo',
  'automation',
  'portal',
])

/** What happens to records of every kind, by the end of its event's name. */
const actions: Readonly<Record<string, string>> = {
  created: 'create',
  updated: 'update',
  deleted: 'delete',
  restored: 'restore',
  merged: 'merge',
  unmerged: 'unmerge',
}

/** Through what a change came, in words: “by an import”, “after: opportunity won”. */
export function originWords(origin: string): string {
  const [kind = '', about] = origin.split(/:(.*)/, 2)
  if (kind === 'event' && about) return t('shell.audit.afterEvent', { event: eventWords(about) })
  return origins.has(kind) ? t(`shell.audit.origin.${kind}`) : origin
}

/** `core.account.updated` in words: the record's kind and what happened to it. */
export function eventWords(event: string): string {
  const at = event.lastIndexOf('.')
  const action = actions[event.slice(at + 1)]
  const meta = resource(event.slice(0, at))
  if (meta && action) return t(`shell.audit.event.${action}`, { one: meta.name.one })
  // Whoever emits an event of its own says what it is called.
  const key = event.replace('.', '.event.')
  const own = t(key)
  return own === key ? event : own
}
