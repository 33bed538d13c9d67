import type { Claimant } from '../check-plugins.ts'
import type { ArchiveManifest } from './archive.ts'

/** A plugin as it is held against others before its code has run. */
export function claimantOf(manifest: ArchiveManifest): Claimant {
  const { id, version, platform, requires, optional, resources, routes, publicPages, permissions, points } = manifest
  const { slots, uses, emits } = manifest
  return {
    id,
    version,
    platform,
    requires,
    optional,
    resources: resources.map(({ id: resource, path }) => {
      const name = resource.slice(id.length + 1)
      return { entity: { name }, options: { path, name } }
    }),
    routes,
    publicPages,
    permissions,
    points: points.map((point) => ({ id: point })),
    slots: slots.map((slot) => ({ id: slot })),
    provides: manifest.services.map((service) => ({ service: { id: service } })),
    uses: uses.map((use) => ({ id: use })),
    emits,
    ui: { screens: manifest.screens, fills: manifest.fills },
  }
}
