export interface SettingsPage {
  /** Path segment below `/settings`, end of its translation key, and of its element `shell-<name>`. */
  readonly name: string
  readonly icon: string
  readonly group: 'you' | 'workspace' | 'control'
  /** Any of these opens it; without, everybody may. */
  readonly permission?: readonly string[]
  readonly load: () => Promise<unknown>
}

/** The settings, in the order of their list. A new page is one more entry. */
export const settingsPages: readonly SettingsPage[] = [
  {
    name: 'profile',
    icon: 'user',
    group: 'you',
    load: () => import('./shell-profile.ts'),
  },
  {
    name: 'workspace',
    icon: 'settings',
    group: 'workspace',
    permission: ['core.workspace.manage'],
    tag: 'shell-workspace',
    load: () => import('./shell-workspace.ts'),
  },
  {
    name: 'modules',
    icon: 'plug',
    group: 'workspace',
    permission: ['core.plugin.toggle', 'core.plugin.read'],
    load: () => import('./shell-modules.ts'),
  },
  {
    name: 'people',
    icon: 'users',
    group: 'workspace',
    permission: ['core.user.manage', 'core.user.read'],
    load: () => import('./shell-people.ts'),
  },
  {
    name: 'teams',
    icon: 'network',
    group: 'workspace',
    permission: ['core.team.manage', 'core.user.manage'],
    load: () => import('./shell-teams.ts'),
  },
  {
    name: 'fields',
    icon: 'list-plus',
    group: 'workspace',
    permission: ['core.field.manage'],
    load: () => import('./shell-fields.ts'),
  },
  {
    name: 'roles',
    icon: 'shield-check',
    group: 'control',
    permission: ['core.role.manage'],
    load: () => import('./shell-roles.ts'),
  },
  {
    name: 'api-keys',
    icon: 'key-round',
    group: 'control',
    permission: ['core.apikey.manage'],
    load: () => import('./shell-api-keys.ts'),
  },
  {
    name: 'privacy',
    icon: 'shield',
    group: 'control',
    permission: ['core.privacy.manage', 'core.privacy.read'],
    load: () => import('./shell-privacy.ts'),
  },
  {
    name: 'retention',
    icon: 'clock',
    group: 'control',
    permission: ['core.privacy.manage', 'core.privacy.read'],
    load: () => import('./shell-retention.ts'),
  },
  {
    name: 'audit',
    icon: 'scroll-text',
    group: 'control',
    permission: ['core.audit.read'],
    load: () => import('./shell-audit.ts'),
  },
]
