import type { Resolved } from '../identity/identity.ts'
import { permissionDenied } from '../permissions/errors.ts'
import type { PluginSet } from '../plugins/loaded-plugins.ts'

/** What every route of the platform is handed beside its request. */
export interface RequestFacts {
  readonly who: Resolved
  /** Request id, also answered as `X-Request-Id`. */
  readonly id: string
  /** What was loaded when it came: the code that answers knows no other, whatever takes its place meanwhile. */
  readonly set?: PluginSet
}

/** A plugin's app is given the facts with each request: the host has asked who it is. */
export interface PluginEnv {
  Bindings: { facts: RequestFacts }
}

/** @throws `PERMISSION_DENIED` (403) for the first of them that whoever asks has not */
export function demand({ who }: RequestFacts, ...permissions: readonly string[]): void {
  for (const permission of permissions) if (!who.authority.may(permission)) throw permissionDenied({ permission })
}
