import { api, records, t, toast } from '@socle/sdk/ui'
import type { ResourceMeta, SavedView } from '@socle/sdk/ui'
import { session } from '../session-doc.ts'
import { viewOfState } from './list-state.ts'
import type { ListState } from './list-state.ts'
import { tellDone } from './own-changes.ts'

const viewResource = 'core.view'

/** Who else sees it; `role` with the role that starts with it. */
export interface Audience {
  readonly scope: SavedView['scope']
  readonly role: string | null
}

export async function createView(
  meta: ResourceMeta,
  name: string,
  audience: Audience,
  state: ListState,
): Promise<string> {
  const { data } = await records(viewResource).create({ resource: meta.id, name, ...audience, ...viewOfState(state) })
  await session.load()
  toast({ text: t('shell.views.saved', { name }), tone: 'success' })
  return data.id
}

export async function changeView(view: SavedView, values: Readonly<Record<string, unknown>>): Promise<void> {
  const { changeSet } = await records(viewResource).update(view.id, view.version, values)
  await session.load()
  tellDone(t('shell.views.saved', { name: String(values['name'] ?? view.name) }), {
    changeSet,
    resource: viewResource,
    ids: [view.id],
  })
}

export async function deleteView(view: SavedView): Promise<void> {
  const { changeSet } = await records(viewResource).remove(view.id, view.version)
  await session.load()
  tellDone(t('shell.views.deleted', { name: view.name }), { changeSet, resource: viewResource, ids: [view.id] })
}

/** What a view keeps of what is shown now. */
export const valuesOf = viewOfState

/** With whom one's own is shared, until that is closed. */
export async function shareView(view: SavedView): Promise<void> {
  const { showSharing } = await import('./shell-view-sharing.ts')
  await showSharing(view)
}

/** One's own: starting with it, or keeping it in the sidebar. */
export async function chooseView(
  view: SavedView,
  choice: { readonly default?: boolean; readonly pinned?: boolean },
): Promise<void> {
  await api.put(`/api/core/views/${view.id}/choice`, choice)
  await session.load()
}
