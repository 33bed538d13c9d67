import type { SavedView, ViewKind } from '@socle/sdk/ui'

export type CalendarSpan = 'month' | 'week' | 'day' | 'agenda'

/** What a list shows, as its address carries it: whoever opens the address sees the same rows. */
export interface ListState {
  readonly kind: ViewKind
  /** Id of the saved view it started from; the other parts may differ from it. */
  readonly view: string | undefined
  readonly filter: string
  readonly sort: string
  readonly q: string
  /** `undefined`: the resource's own list. */
  readonly columns: readonly string[] | undefined
  /** Fields on a board's cards, and those added up in its heads (none when empty); the resource's own when absent. */
  readonly card: readonly string[] | undefined
  readonly sums: readonly string[] | undefined
  /** How high rows are; as their reader has them everywhere when absent. */
  readonly density: string | undefined
  /** Field whose values are a board's columns; the resource's own when absent. */
  readonly by: string | undefined
  /** Date a calendar goes by, and the one a record lasts until. */
  readonly start: string | undefined
  readonly end: string | undefined
  /** Day a calendar shows, `YYYY-MM-DD`, and how much around it. */
  readonly date: string | undefined
  readonly span: CalendarSpan
  /** The instant whose rows are shown, to look at; `undefined` shows those of now. */
  readonly asOf: string | undefined
  /** Record in the side panel. */
  readonly peek: string | undefined
  /** The create form is open in the side panel. */
  readonly creating: boolean
  /** Group of a board whose columns depend on another record (stages of one pipeline). */
  readonly scope: string | undefined
}

export const emptyListState: ListState = {
  kind: 'table',
  view: undefined,
  filter: '',
  sort: '',
  q: '',
  columns: undefined,
  card: undefined,
  sums: undefined,
  density: undefined,
  by: undefined,
  start: undefined,
  end: undefined,
  date: undefined,
  span: 'month',
  asOf: undefined,
  peek: undefined,
  creating: false,
  scope: undefined,
}

const kinds: readonly ViewKind[] = ['table', 'kanban', 'calendar']
const spans: readonly CalendarSpan[] = ['month', 'week', 'day', 'agenda']

const optionals = ['by', 'start', 'end', 'density'] as const
const lists = ['columns', 'card', 'sums'] as const
/** In an address: an empty list, where nothing at all would be the resource's own. */
const none = '-'
const said = (list: readonly string[] | undefined) => (list ? list.join(',') || none : '')

/** Finds a saved view of the list by its id. */
type FindView = (id: string) => SavedView | undefined

/** What a saved view shows before anything is changed on it. */
export function stateOfView(view: SavedView | undefined): ListState {
  if (!view) return emptyListState
  return {
    ...emptyListState,
    kind: view.kind,
    view: view.id,
    filter: view.filter ?? '',
    sort: view.sort ?? '',
    q: view.q ?? '',
    columns: view.columns?.map((it) => it.field),
    card: view.card ?? undefined,
    sums: view.sums ?? undefined,
    density: view.density === 'normal' ? undefined : view.density,
    by: view.groupBy ?? undefined,
    start: view.startField ?? undefined,
    end: view.endField ?? undefined,
  }
}

/** Reads an address: its view, and over it whatever else it says. */
export function readListState(search: string, find: FindView = () => undefined): ListState {
  const given = new URLSearchParams(search)
  const named = given.get('view') ?? ''
  const ownKind = kinds.find((it) => it === named)
  const base = stateOfView(ownKind || !named ? undefined : find(named))
  const text = (name: 'filter' | 'sort' | 'q') => given.get(name) ?? base[name]
  const optional = (name: (typeof optionals)[number]) => (given.has(name) ? given.get(name) || undefined : base[name])
  const list = (name: (typeof lists)[number]) => {
    const said = given.get(name)
    return said === null ? base[name] : said === none ? [] : said ? said.split(',') : undefined
  }
  return {
    kind: ownKind ?? kinds.find((it) => it === given.get('as')) ?? base.kind,
    view: ownKind ? undefined : named || undefined,
    filter: text('filter'),
    sort: text('sort'),
    q: text('q'),
    columns: list('columns'),
    card: list('card'),
    sums: list('sums'),
    density: optional('density'),
    by: optional('by'),
    start: optional('start'),
    end: optional('end'),
    date: given.get('date') || undefined,
    span: spans.find((it) => it === given.get('span')) ?? 'month',
    asOf: given.get('asOf') || undefined,
    peek: given.get('peek') || undefined,
    creating: given.has('create'),
    scope: given.get('scope') || undefined,
  }
}

/** Answers the query with its `?`, or an empty text when all is as the resource says. */
export function writeListState(state: ListState, find: FindView = () => undefined): string {
  const saved = state.view ? find(state.view) : undefined
  const base = stateOfView(saved)
  const query = new URLSearchParams()
  if (state.view) query.set('view', state.view)
  if (state.kind !== base.kind) query.set(state.view ? 'as' : 'view', state.kind)
  if (state.scope) query.set('scope', state.scope)
  for (const name of ['filter', 'q', 'sort'] as const) if (state[name] !== base[name]) query.set(name, state[name])
  for (const name of optionals) if (state[name] !== base[name]) query.set(name, state[name] ?? '')
  for (const name of lists) if (said(state[name]) !== said(base[name])) query.set(name, said(state[name]))
  if (state.date) query.set('date', state.date)
  if (state.span !== 'month') query.set('span', state.span)
  if (state.asOf) query.set('asOf', state.asOf)
  if (state.peek) query.set('peek', state.peek)
  if (state.creating) query.set('create', '1')
  const text = query.toString()
  return text && `?${text}`
}

/** Parts a view keeps, beside its lists of fields; the others say where in it somebody is. */
const kept = ['kind', 'filter', 'sort', 'q', ...optionals] as const

/** True when what is shown is not what the view says. */
export function isModified(state: ListState, view: SavedView | undefined): boolean {
  const base = stateOfView(view)
  // The whole list drawn otherwise is still the whole list.
  const parts = view ? kept : kept.filter((it) => it !== 'kind')
  return parts.some((it) => state[it] !== base[it]) || lists.some((it) => said(state[it]) !== said(base[it]))
}

/** True for an address that says nothing of what is to be shown: then the reader's own view opens. */
export function isBare(search: string): boolean {
  const given = new URLSearchParams(search)
  return !['view', 'filter', 'sort', 'q', 'columns', 'by', 'start', 'asOf'].some((it) => given.has(it))
}

/** The state as a view keeps it. */
export function viewOfState(state: ListState): Record<string, unknown> {
  return {
    kind: state.kind,
    filter: state.filter || null,
    sort: state.sort || null,
    q: state.q || null,
    columns: state.columns?.map((field) => ({ field })) ?? null,
    card: state.card ?? null,
    sums: state.sums ?? null,
    density: state.density ?? 'normal',
    groupBy: state.by ?? null,
    startField: state.start ?? null,
    endField: state.end ?? null,
  }
}
