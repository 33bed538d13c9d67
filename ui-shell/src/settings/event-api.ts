import { api, navigate } from '@socle/sdk/ui'
import { router } from '../router.ts'

export const eventViews = ['stream', 'failed', 'subscribers'] as const
export type EventsView = (typeof eventViews)[number]

/** Where a delivery stands that has not ended, the most urgent first. */
export const openStates = ['dead', 'blocked', 'held', 'waiting'] as const
export type OpenState = (typeof openStates)[number]

/** An event as its reader may see it. */
export interface EventView {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly resource: string | null
  readonly record: string
  readonly at: string
  readonly changeSet: string | null
  /** Null where the record is not the reader's to see. */
  readonly payload: unknown
  /** Names of what was left out of the payload. */
  readonly hidden: readonly string[]
}

export interface ToldEvent extends EventView {
  readonly told: readonly { readonly subscription: string; readonly state: OpenState | 'done' | 'skipped' }[]
}

export interface Delivery {
  readonly subscription: string
  readonly state: OpenState
  readonly attempts: number
  readonly dueAt: string | null
  readonly lastError: string | null
  /** Whether its record's later events wait for it. */
  readonly blocks: boolean
  readonly behind: number
  /** Id of the event whose dead letter a blocked one waits for. */
  readonly waitsFor: string | null
  readonly event: EventView
}

export interface Subscriber {
  readonly id: string
  readonly plugin: string
  readonly pluginTitle: string
  readonly event: string
  readonly version: number | null
  readonly changed: readonly string[] | null
  readonly whileDisabled: 'hold' | 'drop'
  readonly afterDeadLetter: 'hold-record' | 'continue'
  readonly enabled: boolean
  readonly waiting: number
  readonly held: number
  readonly dead: number
  readonly blocked: number
}

interface EventKind {
  readonly name: string
  readonly version: number
  readonly plugin: string
  readonly outdated: boolean
  readonly heardBy: readonly string[]
}

/** Who hears what, and what is told. */
export interface Hearing {
  readonly subscribers: readonly Subscriber[]
  readonly kinds: readonly EventKind[]
}

/** What one page of a list holds. */
export interface EventPage<T> {
  readonly data: readonly T[]
  readonly page: { readonly next: string | null }
}

/** The server counts no further. */
export const countedDeliveries = 1_000

export const eventFilters = ['event', 'record', 'subscription'] as const
export type EventFilter = (typeof eventFilters)[number]

/** What the address asks for. */
export interface EventsAsked extends Readonly<Partial<Record<EventFilter, string>>> {
  readonly view: EventsView
  readonly state: OpenState
}

const path = '/settings/events'

export function askedOf(url: URL): EventsAsked {
  const [view, state] = [url.searchParams.get('view'), url.searchParams.get('state')]
  return {
    view: eventViews.find((it) => it === view) ?? 'stream',
    state: openStates.find((it) => it === state) ?? 'dead',
    ...Object.fromEntries(
      eventFilters.flatMap((name) => {
        const value = url.searchParams.get(name)
        return value ? [[name, value]] : []
      }),
    ),
  }
}

/** The address that asks for it; what goes without saying is left out. */
export function eventsHref({ view, state, ...filters }: Partial<EventsAsked>): string {
  const query = new URLSearchParams()
  if (view && view !== 'stream') query.set('view', view)
  if (view === 'failed' && state && state !== 'dead') query.set('state', state)
  for (const name of eventFilters) if (filters[name]) query.set(name, filters[name])
  return query.size > 0 ? `${path}?${query}` : path
}

export function filterEvents(name: EventFilter, value: string): void {
  const { [name]: _, ...asked } = askedOf(router.url)
  navigate(eventsHref({ ...asked, ...(value && { [name]: value }) }), { replace: true })
}

export function eventQuery(asked: EventsAsked, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({ limit: '50', ...more })
  for (const name of eventFilters) if (asked[name]) query.set(name, asked[name])
  return query.toString()
}

export async function readHearing(): Promise<Hearing> {
  return (await api.get<{ data: Hearing }>('/api/core/events/subscribers')).data
}
