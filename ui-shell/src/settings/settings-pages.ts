export interface SettingsPage {
  /** Path segment below `/settings`, end of its translation key, and of its element `shell-<name>`. */
  readonly name: string
  readonly icon: string
  readonly group: 'you' | 'workspace' | 'control'
  /** Any of these opens it; without, everybody may. */
  readonly permission?: readonly string[]
}

/** The settings, in the order of their list. A new page is one more entry, and one where `shell-settings` loads them. */
export const settingsPages: readonly SettingsPage[] = [
  {
    name: 'profile',
    icon: 'user',
    group: 'you',
  },
  {
    name: 'security',
    icon: 'shield-check',
    group: 'you',
  },
  {
    name: 'workspace',
    icon: 'settings',
    group: 'workspace',
    permission: ['core.workspace.manage'],
  },
  {
    name: 'modules',
    icon: 'plug',
    group: 'workspace',
    permission: ['core.plugin.toggle', 'core.plugin.read'],
  },
  {
    name: 'map',
    icon: 'blocks',
    group: 'workspace',
    permission: ['core.plugin.read'],
  },
  {
    name: 'people',
    icon: 'users',
    group: 'workspace',
    permission: ['core.user.manage', 'core.actor.view-as', 'core.role.manage', 'core.audit.read'],
  },
  {
    name: 'teams',
    icon: 'network',
    group: 'workspace',
    permission: ['core.user.manage'],
  },
  {
    name: 'fields',
    icon: 'list-plus',
    group: 'workspace',
    permission: ['core.field.manage'],
  },
  {
    name: 'roles',
    icon: 'shield-check',
    group: 'control',
    permission: ['core.role.manage'],
  },
  {
    name: 'access',
    icon: 'eye',
    group: 'control',
    permission: ['core.role.manage', 'core.audit.read'],
  },
  {
    name: 'identity-providers',
    icon: 'badge-check',
    group: 'control',
    permission: ['core.signon.manage'],
  },
  {
    name: 'api-keys',
    icon: 'key-round',
    group: 'control',
    permission: ['core.apikey.manage'],
  },
  {
    name: 'privacy',
    icon: 'shield',
    group: 'control',
    permission: ['core.privacy.manage', 'core.privacy.read'],
  },
  {
    name: 'retention',
    icon: 'clock',
    group: 'control',
    permission: ['core.privacy.manage', 'core.privacy.read'],
  },
  {
    name: 'events',
    icon: 'activity',
    group: 'control',
    permission: ['core.event.read'],
  },
  {
    name: 'audit',
    icon: 'scroll-text',
    group: 'control',
    permission: ['core.audit.read'],
  },
]
