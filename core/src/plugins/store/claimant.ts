import type { Claimant } from '../check-plugins.ts'
import type { ArchiveManifest } from './archive.ts'

/** A plugin as it is held against others before its code has run. */
export function claimantOf(manifest: ArchiveManifest): Claimant {
  const { id, version, platform, requires, optional, resources, routes, permissions, slots, emits } = manifest
  return {
    id,
    version,
    platform,
    requires,
    optional,
    resources: resources.map(({ path }) => ({ options: { path } })),
    routes,
    permissions,
    slots: slots.map((slot) => ({ id: slot })),
    provides: manifest.services.map((service) => ({ service: { id: service } })),
    emits,
    ui: { screens: manifest.screens, fills: manifest.fills },
  }
}
