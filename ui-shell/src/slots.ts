import { shell } from '@socle/sdk/ui'
import type { ShellFill } from '@socle/sdk/ui'

/** What enabled plugins put into a slot, in order; with a resource only fills meant for it or for all. */
export function fillsOf(slot: string, resource?: string): readonly ShellFill[] {
  const fills = shell()?.fills ?? []
  return fills
    .filter((it) => it.slot === slot && (!it.resource || !resource || it.resource === resource))
    .toSorted((a, b) => a.order - b.order)
}
