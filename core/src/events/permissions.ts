import { definePermission, type PermissionDefinition } from '../plugins/define-plugin.ts'

export const eventPermissions: readonly PermissionDefinition[] = [
  definePermission('core.event.read', {
    en: 'See events and who hears them',
    fr: 'Voir les événements et qui les reçoit',
  }),
  definePermission('core.event.redrive', {
    en: 'Deliver dead letters again',
    fr: 'Redistribuer les événements en échec',
  }),
  definePermission('core.event.skip', { en: 'Skip dead letters', fr: 'Ignorer des événements en échec' }),
  definePermission('core.event.replay', {
    en: 'Tell modules past events again',
    fr: 'Rejouer des événements passés pour un module',
  }),
]
