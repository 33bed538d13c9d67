import { definePermission } from '../../plugins/define-plugin.ts'
import { ViewSchema } from './view.ts'
import { views } from './resources.ts'

// Saved views, as the core's own plugin value lists them.

export const viewEntities = [ViewSchema]

export const viewResources = [views]

export const viewPermissions = [
  definePermission('core.view.share', {
    en: 'Share views, and set the one a role starts with',
    fr: 'Partager des vues, et fixer celle avec laquelle un rôle commence',
  }),
]

export { viewGuards } from './guards.ts'
export { viewRoutes } from './routes.ts'
