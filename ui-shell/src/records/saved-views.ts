import { shell } from '@socle/sdk/ui'
import type { ResourceMeta, SavedView } from '@socle/sdk/ui'

export function viewsOf(meta: ResourceMeta): readonly SavedView[] {
  return shell()?.views.filter((it) => it.resource === meta.id) ?? []
}

export function viewById(id: string): SavedView | undefined {
  return shell()?.views.find((it) => it.id === id)
}

/** The view its reader starts with: their own choice, else their role's. */
export function startingView(meta: ResourceMeta): SavedView | undefined {
  return viewsOf(meta).find((it) => it.default)
}

export const mayKeepViews = (): boolean => shell()?.may.includes('core.view.create') ?? false
export const mayShareViews = (): boolean => shell()?.may.includes('core.view.share') ?? false
export const mayChange = (view: SavedView): boolean => (view.scope !== 'mine' ? mayShareViews() : view.mine)
