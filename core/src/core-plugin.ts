import type { EntitySchema } from '@mikro-orm/core'
import {
  sharedDemo,
  sharedEntities,
  sharedEvents,
  sharedGuards,
  sharedLinks,
  sharedPoints,
  sharedProvides,
  sharedResources,
  sharedRoutes,
  sharedSubscribers,
} from './entities/index.ts'
import { knownPermissions } from './entities/known-accounts.ts'
import { deliveryEvents, eventJobs, eventPermissions, eventRoutes } from './events/index.ts'
import {
  identityEntities,
  identityEvents,
  identityGuards,
  identityJobs,
  identityPermissions,
  identityProvides,
  identityResources,
  identityRoutes,
  type PermissionSource,
} from './identity/index.ts'
import type { Identity } from './identity/identity.ts'
import { jobPermissions, jobRoutes } from './jobs/index.ts'
import { coreRoleTemplates } from './permissions/role-templates.ts'
import { sharingEntities, sharingGuards, sharingResources, sharingRoutes } from './permissions/sharing/index.ts'
import { exportEntities, exportJobs, exportResources } from './records/export/index.ts'
import { importEntities, importEvents, importGuards, importResources } from './records/import/index.ts'
import { viewEntities, viewGuards, viewPermissions, viewResources, viewRoutes } from './records/views/index.ts'
import { definePermission, type PluginDefinition } from './plugins/define-plugin.ts'
import { demoRoutes } from './records/demo-removal.ts'
import { FieldSchema } from './records/fields/field.ts'
import { fieldGuards } from './records/fields/guards.ts'
import { indexSubscribers, type Enqueue } from './records/fields/index-job.ts'
import { fields } from './records/fields/resource.ts'
import type { Resources } from './records/registry.ts'
import { sideWordsSubscribers } from './records/sides/words.ts'
import { HomeWidgets } from './plugins/offers.ts'
import { pluginEvents } from './plugins/plugin-events.ts'
import { storeEvents } from './plugins/store/events.ts'
import { platformVersion } from './plugins/check-plugins.ts'
import { sweepAnswers } from './http/idempotency.ts'
import { nightlyIncidentRetention } from './plugins/incidents.ts'
import { nightlyScan } from './records/duplicates/jobs.ts'
import { nightlyOrphanScan } from './records/orphans.ts'
import { sweepSearch } from './records/search-sweep.ts'
import { unmaskings, UnmaskingSchema, unmaskPermission } from './records/unmasking.ts'
import type { LinkTable } from './records/merge/link-table.ts'
import {
  privacyContributes,
  privacyEntities,
  privacyEvents,
  privacyGuards,
  privacyJobs,
  privacyPermissions,
  privacyPoints,
  privacyProvides,
  privacyResources,
  privacyRoutes,
} from './privacy/index.ts'
import type { PrivacyParts } from './privacy/tombstones.ts'

const platformPermissions = [
  definePermission('core.plugin.read', { en: 'See the modules', fr: 'Voir les modules' }),
  definePermission('core.plugin.toggle', { en: 'Switch modules on and off', fr: 'Activer et désactiver les modules' }),
  definePermission('core.plugin.configure', {
    en: 'Change settings of modules',
    fr: 'Modifier les réglages des modules',
  }),
  definePermission('core.plugin.install', { en: 'Install modules', fr: 'Installer des modules' }),
  definePermission('core.plugin.upgrade', { en: 'Upgrade modules', fr: 'Mettre à niveau les modules' }),
  definePermission('core.plugin.uninstall', { en: 'Uninstall modules', fr: 'Désinstaller des modules' }),
  definePermission('core.plugin.force', {
    en: 'Install modules past the versions they ask for',
    fr: 'Installer des modules hors des versions qu’ils demandent',
  }),
  definePermission('core.audit.read', { en: 'Read the audit', fr: 'Lire l’audit' }),
  definePermission('core.field.manage', { en: 'Manage fields', fr: 'Gérer les champs' }),
  definePermission('core.changeset.undo', { en: 'Undo changes of others', fr: 'Annuler les modifications des autres' }),
  definePermission('core.workspace.manage', {
    en: 'Change the workspace’s settings',
    fr: 'Modifier les réglages de l’espace',
  }),
]

/** Tables of the engine itself that name records; each says why a merge leaves it. */
const platformLinks: readonly LinkTable[] = [
  { place: 'core.change.record', stays: 'The ledger tells what was.' },
  { place: 'core.search_document.record', stays: 'Follows its record with each write.' },
  { place: 'core.duplicate_key.record', stays: 'Follows its record with each write.' },
  { place: 'core.duplicate_due.record', stays: 'Follows its record with each write.' },
  { place: 'core.merged_record.record', stays: 'Is the merge.' },
  { place: 'core.erasure_target.record', stays: 'An erasure has found every record of the person.' },
  { place: 'core.unmasking.record', stays: 'Tells whose value was shown.' },
  { place: 'core.import_reversal.record', stays: 'Taking an import back is about the record it made.' },
]

/** The core as a plugin of itself: the same anatomy, the same engine, and no way around either. */
export function corePlugin(
  source: (workspace: string) => ReturnType<PermissionSource> & { readonly catalog: Resources },
  enqueue: () => Enqueue,
  declared: (workspace: string) => Resources,
  privacy: PrivacyParts,
  identity: () => Identity,
): PluginDefinition {
  return {
    id: 'core',
    version: platformVersion,
    platform: `^${platformVersion}`,
    title: { en: 'Base', fr: 'Base' },
    entities: [
      ...identityEntities,
      ...sharedEntities,
      ...viewEntities,
      ...importEntities,
      ...exportEntities,
      ...privacyEntities,
      ...sharingEntities,
      FieldSchema as unknown as EntitySchema,
      UnmaskingSchema,
    ],
    resources: [
      ...sharedResources,
      ...identityResources,
      ...viewResources,
      ...importResources,
      ...exportResources,
      ...privacyResources,
      ...sharingResources,
      fields,
      unmaskings,
    ],
    permissions: [
      ...identityPermissions,
      ...jobPermissions,
      ...viewPermissions,
      ...privacyPermissions,
      ...knownPermissions,
      ...eventPermissions,
      ...platformPermissions,
      unmaskPermission,
    ],
    roleTemplates: coreRoleTemplates,
    emits: [
      ...sharedEvents,
      ...identityEvents,
      ...deliveryEvents,
      ...importEvents,
      ...privacyEvents,
      ...pluginEvents,
      ...storeEvents,
    ],
    provides: [...sharedProvides, ...identityProvides, ...privacyProvides(privacy.keys)],
    points: [...sharedPoints, ...privacyPoints],
    slots: [HomeWidgets],
    contributes: privacyContributes,
    guards: [
      ...identityGuards,
      ...sharedGuards,
      ...viewGuards,
      ...importGuards,
      ...fieldGuards(declared),
      ...sharingGuards,
      ...privacyGuards(privacy),
    ],
    links: [...sharedLinks, ...platformLinks],
    subscribers: [...sharedSubscribers, ...indexSubscribers(enqueue), ...sideWordsSubscribers],
    jobs: [
      ...identityJobs(identity),
      ...exportJobs,
      nightlyScan((workspace) => source(workspace).catalog),
      nightlyOrphanScan((workspace) => source(workspace).catalog),
      sweepSearch,
      sweepAnswers,
      nightlyIncidentRetention,
      ...privacyJobs,
      ...eventJobs,
    ],
    routes: [
      ...identityRoutes(source, identity),
      ...jobRoutes,
      ...demoRoutes,
      ...eventRoutes((workspace) => source(workspace).plugins),
      ...sharedRoutes,
      ...viewRoutes,
      ...sharingRoutes,
      ...privacyRoutes(privacy.keys),
    ],
    migrations: new URL('../migrations/', import.meta.url),
    demo: sharedDemo,
  }
}
