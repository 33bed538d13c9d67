import { shell } from '@socle/sdk/ui'

export interface RecentRecord {
  readonly resource: string
  readonly id: string
  readonly title: string
  readonly at: string
}

const kept = 20

function key(): string | undefined {
  const document = shell()
  return document && `socle.recent.${document.workspace.id}.${document.user.id}`
}

/** Records this user opened in this browser, newest first; only of resources that are still to be seen. */
export function recentRecords(): readonly RecentRecord[] {
  const at = key()
  if (!at) return []
  try {
    const all = JSON.parse(localStorage.getItem(at) ?? '[]') as RecentRecord[]
    return all.filter((it) => shell()?.resources.some((resource) => resource.id === it.resource))
  } catch {
    return []
  }
}

export function rememberRecord(record: Omit<RecentRecord, 'at'>): void {
  const at = key()
  if (!at || !record.title) return
  const others = recentRecords().filter((it) => it.id !== record.id)
  localStorage.setItem(at, JSON.stringify([{ ...record, at: new Date().toISOString() }, ...others].slice(0, kept)))
}

/** A record that answered 404 is no longer worth offering. */
export function forgetRecord(id: string): void {
  const at = key()
  if (at) localStorage.setItem(at, JSON.stringify(recentRecords().filter((it) => it.id !== id)))
}
