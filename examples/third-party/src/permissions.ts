import { definePermission } from '@socle/sdk'

export const permissions = [definePermission('badges.badge.print', { en: 'Print badges', fr: 'Imprimer des badges' })]
