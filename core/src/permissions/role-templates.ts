import type { RoleTemplate } from '../plugins/define-plugin.ts'
import type { ResourceAction, Visibility } from './authority.ts'
import type { Grant } from './grant.ts'

const changing: readonly ResourceAction[] = ['create', 'update', 'delete', 'restore']

const grant = (resource: string, action: string, visibility: Visibility = 'all'): Grant => ({
  resource,
  action,
  visibility,
})
const grants = (resource: string, actions: readonly string[], visibility: Visibility = 'all'): Grant[] =>
  actions.map((action) => grant(resource, action, visibility))

/** Whoever is in a company may find its people and teams, to assign work to them. */
const colleagues: readonly Grant[] = [grant('core.user', 'read'), grant('core.team', 'read')]

/** Records that belong to nobody in particular, and that daily work refers to. */
const common: readonly Grant[] = ['core.account', 'core.contact', 'core.product'].map((resource) =>
  grant(resource, 'read'),
)

/** Who reads lists may keep views of them; whose they are decides who sees them. */
const personal: readonly Grant[] = grants('core.view', ['read', ...changing], 'own')

/** Roles every workspace starts with; an administrator may change all but the first. */
export const coreRoleTemplates: readonly RoleTemplate[] = [
  {
    id: 'administrator',
    title: { en: 'Administrator', fr: 'Administrateur' },
    grants: [grant('*', '*')],
  },
  {
    id: 'manager',
    title: { en: 'Manager', fr: 'Responsable' },
    grants: [
      ...colleagues,
      ...common,
      ...grants('*', ['read', ...changing, 'export', 'import', 'bulk', 'merge', 'share'], 'team'),
      grant('core.view', 'share'),
    ],
  },
  {
    id: 'member',
    title: { en: 'Member', fr: 'Membre' },
    grants: [
      ...colleagues,
      ...common,
      ...grants('*', ['read', 'create', 'update'], 'team'),
      ...grants('*', ['delete', 'restore'], 'own'),
    ],
  },
  {
    id: 'reader',
    title: { en: 'Reader', fr: 'Lecteur' },
    grants: [...colleagues, ...common, ...personal, grant('*', 'read', 'team')],
  },
  {
    id: 'auditor',
    title: { en: 'Auditor', fr: 'Auditeur' },
    grants: [...personal, grant('*', 'read'), grant('core.audit', 'read'), grant('*', 'export')],
  },
  {
    id: 'integration',
    title: { en: 'Integration', fr: 'Intégration' },
    grants: grants('*', ['read', ...changing, 'import', 'export']),
  },
]
