import { definePermission, type RoleTemplate } from '@socle/sdk'

export const reopenOpportunity = definePermission('sales.opportunity.reopen', {
  en: 'Reopen a won opportunity',
  fr: 'Rouvrir une opportunité gagnée',
})

export const permissions = [reopenOpportunity]

const settings = ['sales.pipeline', 'sales.stage', 'sales.reason']
const read = settings.map((resource) => ({ resource, action: 'read', visibility: 'all' as const }))

export const roleTemplates: readonly RoleTemplate<`sales.${string}`>[] = [
  {
    id: 'sales.director',
    title: { en: 'Sales director', fr: 'Direction commerciale' },
    grants: [{ resource: 'sales.*', action: '*', visibility: 'all' }],
  },
  {
    id: 'sales.manager',
    title: { en: 'Sales manager', fr: 'Responsable commercial' },
    grants: [
      ...read,
      ...['read', 'create', 'update', 'delete', 'restore', 'export', 'import', 'reopen'].map((action) => ({
        resource: 'sales.opportunity',
        action,
        visibility: 'team' as const,
      })),
    ],
  },
  {
    id: 'sales.rep',
    title: { en: 'Sales representative', fr: 'Commercial' },
    grants: [
      ...read,
      { resource: 'sales.opportunity', action: 'read', visibility: 'team' },
      ...['create', 'update', 'delete', 'restore'].map((action) => ({
        resource: 'sales.opportunity',
        action,
        visibility: 'own' as const,
      })),
    ],
  },
]
