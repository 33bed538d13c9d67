import { sql, type SqlBool } from 'kysely'
import type { Audience } from '../records/audience.ts'
import { definePermission, type PermissionDefinition } from '../plugins/define-plugin.ts'

export const privacyPermissions: readonly PermissionDefinition[] = [
  definePermission('core.privacy.read', {
    en: 'See privacy requests, certificates and retention',
    fr: 'Voir les demandes, attestations et durées de conservation',
  }),
  definePermission('core.privacy.manage', {
    en: 'Manage privacy requests, suppression and retention',
    fr: 'Gérer les demandes, oppositions et durées de conservation',
  }),
  definePermission('core.privacy.export', {
    en: 'Give a person all that is held about them',
    fr: 'Remettre à une personne tout ce qui la concerne',
  }),
  definePermission('core.privacy.erase', {
    en: 'Erase persons, and let them return',
    fr: 'Effacer des personnes, et les laisser revenir',
  }),
]

/** Who asked to be forgotten is for those who see to it, whatever else somebody may read. */
export const forPrivacy: Audience = ({ may }) =>
  may('core.privacy.read') || may('core.privacy.manage') ? sql<SqlBool>`true` : sql<SqlBool>`false`
