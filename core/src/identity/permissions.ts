import { definePermission, type PermissionDefinition } from '../plugins/define-plugin.ts'

export const identityPermissions: readonly PermissionDefinition[] = [
  definePermission('core.user.manage', { en: 'Manage users and teams', fr: 'Gérer les utilisateurs et les équipes' }),
  definePermission('core.role.manage', {
    en: 'Manage roles, and with them every right',
    fr: 'Gérer les rôles, et par eux tous les droits',
  }),
  definePermission('core.apikey.manage', { en: 'Manage API keys', fr: 'Gérer les clés d’API' }),
  definePermission('core.signon.manage', {
    en: 'Manage sign-in by identity providers',
    fr: 'Gérer la connexion par fournisseur d’identité',
  }),
  definePermission('core.actor.view-as', {
    en: 'See the workspace as somebody else',
    fr: 'Voir l’espace comme une autre personne',
  }),
  definePermission('core.workspace.open', { en: 'Open workspaces', fr: 'Ouvrir des espaces de travail' }),
]
