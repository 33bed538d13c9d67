import { sql, type SqlBool } from 'kysely'
import type { Audience } from '../records/audience.ts'
import { defineResource } from '../records/define-resource.ts'
import { ApiKey } from './entities/api-key.ts'
import { IdentityProvider } from './entities/identity-provider.ts'
import { Member } from './entities/member.ts'
import { Role } from './entities/role.ts'
import { RoleAssignment } from './entities/role-assignment.ts'
import { Team } from './entities/team.ts'
import { TeamMember } from './entities/team-member.ts'
import { Viewing } from './entities/viewing.ts'
import { WorkspaceRecord } from './entities/workspace.ts'

// Read like any record, by pickers, history and audit; written only by the routes beside, which say what follows.
const administered = { nav: false, readonly: true } as const

/** How somebody signs in is for who manages people; they read their own beside, under their name. */
const signInFact = { readonly: true, needs: 'core.user.manage' } as const

export const users = defineResource(Member, {
  ...administered,
  name: 'user',
  path: 'users',
  title: 'name',
  icon: 'user-round',
  fields: {
    email: { format: 'email' },
    locale: { format: 'select', options: ['en', 'fr'] },
    state: {
      format: 'select',
      options: [
        { value: 'active', tone: 'success', icon: 'circle-check' },
        { value: 'invited', tone: 'info', icon: 'mail' },
        { value: 'inactive', tone: 'neutral', icon: 'circle-off' },
      ],
    },
    manager: { format: 'user' },
    lastSeenAt: signInFact,
    passwordSetAt: signInFact,
    passwordLinkAt: signInFact,
    secondFactorResetAt: signInFact,
    sessionsEndedAt: signInFact,
    vouchedAt: signInFact,
    vouchedBy: signInFact,
    unlinkedAt: signInFact,
    unlinkedFrom: signInFact,
    partner: { readonly: true },
    partners: { readonly: true },
  },
  list: ['name', 'email', 'team', 'state', 'manager'],
  search: ['name', 'email'],
  sort: 'name',
  keys: ['email', 'name'],
  partner: { person: 'id' },
})

export const teams = defineResource(Team, {
  ...administered,
  path: 'teams',
  title: 'name',
  icon: 'users-round',
  list: ['name', 'parent', 'owner'],
  search: ['name'],
  sort: 'name',
})

export const teamMembers = defineResource(TeamMember, {
  ...administered,
  path: 'team-members',
  title: 'user',
  icon: 'users-round',
  fields: { user: { format: 'user' } },
  list: ['user', 'team', 'fromDate', 'toDate'],
})

export const roles = defineResource(Role, {
  ...administered,
  path: 'roles',
  title: 'name',
  icon: 'shield-check',
  list: ['name', 'description'],
  sort: 'name',
})

export const roleAssignments = defineResource(RoleAssignment, {
  ...administered,
  path: 'role-assignments',
  title: 'user',
  icon: 'shield-check',
  fields: { user: { format: 'user' } },
  list: ['user', 'role', 'until'],
})

export const apiKeys = defineResource(ApiKey, {
  ...administered,
  path: 'api-keys',
  title: 'name',
  icon: 'key-round',
  // What ends a key, or its old secret, is taken back by nobody: they were told that it does.
  fields: { revokedAt: { readonly: true }, rotatedAt: { readonly: true }, madeByKey: { readonly: true } },
  list: ['name', 'expiresAt', 'revokedAt'],
})

export const identityProviders = defineResource(IdentityProvider, {
  ...administered,
  path: 'identity-providers',
  title: 'name',
  icon: 'shield-check',
  fields: {
    kind: { format: 'select', options: ['oidc', 'saml'] },
    admission: { format: 'select', options: ['invited', 'anyone'] },
    secretSetAt: { readonly: true },
    provedDomains: { readonly: true },
    missedProofs: { readonly: true },
  },
  list: ['name', 'kind', 'enabled'],
  sort: 'name',
})

const viewerAndAuditors: Audience = ({ me, may }, _, alias) => {
  if (may('core.audit.read')) return sql<SqlBool>`true`
  return sql<SqlBool>`coalesce(${sql.ref(`${alias}.owner`)} = ${me ?? null}::uuid, false)`
}

export const viewings = defineResource(Viewing, {
  ...administered,
  path: 'viewings',
  title: 'reason',
  icon: 'eye',
  audience: viewerAndAuditors,
  fields: {
    user: { format: 'user' },
    endedAt: { readonly: true },
    endedBy: { readonly: true, format: 'select', options: ['self', 'time', 'right', 'gone'] },
  },
  list: ['owner', 'user', 'reason', 'until', 'endedAt', 'endedBy'],
})

export const workspaces = defineResource(WorkspaceRecord, {
  ...administered,
  name: 'workspace',
  path: 'workspace-settings',
  title: 'name',
  icon: 'building',
  fields: {
    locale: { format: 'select', options: ['en', 'fr'] },
    fiscalMonth: { min: 1, max: 12, plain: true },
    ledgerMonths: { min: 6, max: 240 },
    eventDays: { min: 7, max: 730 },
    secondFactor: { format: 'select', options: ['optional', 'required'] },
    duplicateStrictness: { format: 'select', options: ['lenient', 'usual', 'strict'] },
  },
  list: ['name', 'locale', 'zone', 'baseCurrency'],
})
