import { records } from '@socle/sdk/ui'
import type { ListQuery } from '@socle/sdk/ui'

/** The list a record was opened from, so that its page can say "12 of 340" and go on to the next. */
export interface Trail {
  readonly resource: string
  readonly query: ListQuery
  readonly ids: readonly string[]
  readonly next: string | null
  readonly count: number | null
  /** Address of the list itself. */
  readonly href: string
}

export interface Place {
  /** From 1. */
  readonly position: number
  readonly count: number
  readonly previous: string | undefined
  readonly next: string | undefined
}

const longest = 2_000
const keyOf = (resource: string) => `socle.trail.${resource}`

export function keepTrail(trail: Trail): void {
  const ids = trail.ids.length > longest ? trail.ids.slice(0, longest) : trail.ids
  try {
    sessionStorage.setItem(keyOf(trail.resource), JSON.stringify({ ...trail, ids }))
  } catch {
    // Storage may be full or forbidden: the record page then shows no position, nothing else is lost.
  }
}

export function readTrail(resource: string): Trail | undefined {
  try {
    const text = sessionStorage.getItem(keyOf(resource))
    return text ? (JSON.parse(text) as Trail) : undefined
  } catch {
    return undefined
  }
}

/** Where a record stands in its trail; `undefined` when it was not opened from there. */
export function placeOf(trail: Trail | undefined, id: string): Place | undefined {
  const at = trail ? trail.ids.indexOf(id) : -1
  if (!trail || at < 0) return undefined
  return {
    position: at + 1,
    count: Math.max(trail.count ?? 0, trail.ids.length),
    previous: trail.ids[at - 1],
    next: trail.ids[at + 1],
  }
}

/** Loads the trail's next page when the record is its last known one, so that "next" goes on. */
export async function extendTrail(trail: Trail, id: string): Promise<Trail> {
  if (!trail.next || trail.ids.at(-1) !== id) return trail
  const page = await records(trail.resource).list({ ...trail.query, after: trail.next, count: 'none' })
  const longer: Trail = { ...trail, ids: [...trail.ids, ...page.data.map((it) => it.id)], next: page.page.next }
  keepTrail(longer)
  return longer
}
