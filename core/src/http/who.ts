import type { Resolved } from '../identity/identity.ts'

/** What every route of the platform is handed beside its request. */
export interface RequestFacts {
  readonly who: Resolved
  /** Request id, also answered as `X-Request-Id`. */
  readonly id: string
}

/** A plugin's app is given the facts with each request: the host has asked who it is. */
export interface PluginEnv {
  Bindings: { facts: RequestFacts }
}
