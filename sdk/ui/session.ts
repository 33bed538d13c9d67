import type { Locale, ResourceMeta, ShellDocument } from './types.ts'

let current: ShellDocument | undefined
let resources = new Map<string, ResourceMeta>()
const listeners = new Set<() => void>()

/** Takes the document the server wrote for this actor; everything on screen that depends on it renders again. */
export function setShell(document: ShellDocument | undefined): void {
  current = document
  resources = new Map(document?.resources.map((it) => [it.id, it]))
  for (const listener of [...listeners]) listener()
}

/** The document in force, `undefined` before sign-in. */
export function shell(): ShellDocument | undefined {
  return current
}

/** Calls back after each change of the document; answers the function that stops it. */
export function onShellChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** What this actor may see of a resource; `undefined` when its plugin is off or no permission reaches it. */
export function resource(id: string): ResourceMeta | undefined {
  return resources.get(id)
}

/** Whether the actor holds a platform permission, e.g. `core.plugin.toggle`. */
export function may(permission: string): boolean {
  return current?.may.includes(permission) ?? false
}

/** The reader's language; before sign-in the browser's, if we speak it. */
export function locale(): Locale {
  return current?.user.locale ?? (globalThis.navigator?.language?.startsWith('fr') ? 'fr' : 'en')
}

/** Time zone in which instants are shown. */
export function zone(): string {
  return current?.workspace.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** Address of a record's page, or `undefined` when the actor cannot see its resource. */
export function recordHref(resourceId: string, id: string): string | undefined {
  const meta = resources.get(resourceId)
  return meta && `${meta.route}/${encodeURIComponent(id)}`
}
