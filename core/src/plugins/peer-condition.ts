import { satisfies } from 'semver'

/** What must be on in a workspace, beside its own plugin, for a part of a plugin to be awake there. */
export interface PeerCondition {
  readonly plugin: string
  /** Versions of it that will do; any of them when absent. */
  readonly range?: string
}

/** The same as a manifest tells it: in the first format by the peer's id alone. */
export type ToldPeer = string | { readonly plugin: string; readonly range?: string | undefined }

export function peerOf(told: ToldPeer): PeerCondition {
  if (typeof told === 'string') return { plugin: told }
  const { plugin, range } = told
  return range === undefined ? { plugin } : { plugin, range }
}

/** Whether a part of a plugin is awake where these plugins are on. */
export function isAwake(
  when: PeerCondition | undefined,
  on: ReadonlySet<string>,
  plugins: readonly { readonly id: string; readonly version: string }[],
): boolean {
  if (when === undefined) return true
  const peer = on.has(when.plugin) ? plugins.find(({ id }) => id === when.plugin) : undefined
  return peer !== undefined && (when.range === undefined || satisfies(peer.version, when.range))
}
