import {
  sharedDemo,
  sharedEntities,
  sharedEvents,
  sharedGuards,
  sharedPoints,
  sharedProvides,
  sharedResources,
  sharedRoutes,
  sharedSubscribers,
} from './entities/index.ts'
import { deliveryEvents } from './events/index.ts'
import {
  identityEntities,
  identityGuards,
  identityResources,
  identityRoutes,
  type PermissionSource,
} from './identity/index.ts'
import { coreRoleTemplates } from './permissions/role-templates.ts'
import { definePermission, definePlugin, type PluginDefinition } from './plugins/define-plugin.ts'
import { platformVersion } from './plugins/check-plugins.ts'

/** The core as a plugin of itself: the same anatomy, the same engine, and no way around either. */
export function corePlugin(permissions: PermissionSource): PluginDefinition {
  return definePlugin({
    id: 'core',
    version: platformVersion,
    platform: `^${platformVersion}`,
    title: { en: 'Base', fr: 'Base' },
    entities: [...identityEntities, ...sharedEntities],
    resources: [...sharedResources, ...identityResources],
    permissions: namedPermissions,
    roleTemplates: coreRoleTemplates,
    emits: [...sharedEvents, ...deliveryEvents],
    provides: sharedProvides,
    points: sharedPoints,
    guards: [...identityGuards, ...sharedGuards],
    subscribers: sharedSubscribers,
    routes: [...identityRoutes(permissions), ...sharedRoutes],
    migrations: new URL('../migrations/', import.meta.url),
    demo: sharedDemo,
  })
}

const namedPermissions = [
  definePermission('core.plugin.read', { en: 'See the modules', fr: 'Voir les modules' }),
  definePermission('core.plugin.toggle', { en: 'Switch modules on and off', fr: 'Activer et désactiver les modules' }),
  definePermission('core.user.manage', { en: 'Manage people', fr: 'Gérer les personnes' }),
  definePermission('core.role.manage', { en: 'Manage roles', fr: 'Gérer les rôles' }),
  definePermission('core.team.manage', { en: 'Manage teams', fr: 'Gérer les équipes' }),
  definePermission('core.apikey.manage', { en: 'Manage API keys', fr: 'Gérer les clés d’API' }),
  definePermission('core.audit.read', { en: 'Read the audit', fr: 'Lire l’audit' }),
  definePermission('core.changeset.undo', { en: 'Undo changes of others', fr: 'Annuler les modifications des autres' }),
  definePermission('core.workspace.create', { en: 'Open a further workspace', fr: 'Ouvrir un autre espace' }),
  definePermission('core.workspace.manage', {
    en: 'Change the workspace’s settings',
    fr: 'Modifier les réglages de l’espace',
  }),
]
