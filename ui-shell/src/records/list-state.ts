/** What a list shows, as its address carries it: whoever opens the address sees the same rows. */
export interface ListState {
  readonly view: string
  readonly filter: string
  readonly sort: string
  readonly q: string
  /** `undefined`: the resource's own list. */
  readonly columns: readonly string[] | undefined
  /** Record in the side panel. */
  readonly peek: string | undefined
  /** The create form is open in the side panel. */
  readonly creating: boolean
  /** Group of a board whose columns depend on another record (stages of one pipeline). */
  readonly scope: string | undefined
}

export const emptyListState: ListState = {
  view: 'table',
  filter: '',
  sort: '',
  q: '',
  columns: undefined,
  peek: undefined,
  creating: false,
  scope: undefined,
}

export function readListState(search: string): ListState {
  const given = new URLSearchParams(search)
  const columns = given.get('columns')?.split(',').filter(Boolean)
  return {
    view: given.get('view') || 'table',
    filter: given.get('filter') ?? '',
    sort: given.get('sort') ?? '',
    q: given.get('q') ?? '',
    columns: columns?.length ? columns : undefined,
    peek: given.get('peek') || undefined,
    creating: given.has('create'),
    scope: given.get('scope') || undefined,
  }
}

/** Answers the query with its `?`, or an empty text when all is as the resource says. */
export function writeListState(state: ListState): string {
  const query = new URLSearchParams()
  if (state.view !== 'table') query.set('view', state.view)
  if (state.scope) query.set('scope', state.scope)
  if (state.filter) query.set('filter', state.filter)
  if (state.q) query.set('q', state.q)
  if (state.sort) query.set('sort', state.sort)
  if (state.columns) query.set('columns', state.columns.join(','))
  if (state.peek) query.set('peek', state.peek)
  if (state.creating) query.set('create', '1')
  const text = query.toString()
  return text && `?${text}`
}
