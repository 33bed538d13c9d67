import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../../records/record-base.ts'
import { Role } from './role.ts'
import { Team } from './team.ts'

export type ProviderKind = 'oidc' | 'saml'

/** A proof that was not found again: on how many days, since which, and on which last. */
export interface MissedProof {
  readonly days: number
  readonly since: string
  readonly last: string
}

/** By domain. */
export type MissedProofs = Readonly<Record<string, MissedProof>>

/** Days without its proof, after which nobody new comes in by a domain. */
export const graceDays = 3

export const IdentityProviderSchema = defineEntity({
  name: 'IdentityProvider',
  schema: 'core',
  tableName: 'identity_provider',
  properties: {
    ...recordBase(),
    name: p.string().length(120),
    kind: p.string().$type<ProviderKind>(),
    enabled: p.boolean().default(false),
    /** Its button stands on the sign-in page for everybody. */
    shown: p.boolean().default(true),
    /** People of its domains come in by it alone; administrators always may come in otherwise. */
    exclusive: p.boolean().default(false),
    /** It asks for a second factor itself. */
    strong: p.boolean().default(false),
    /** Domains of e-mail addresses it may vouch for, in lower case. */
    domains: p.json<readonly string[]>().default('[]'),
    /** Those of them that its company has shown to be its own: it speaks for no other. */
    provedDomains: p.json<readonly string[]>().default('[]'),
    /** Proved domains whose proof has not been found since. */
    missedProofs: p.json<MissedProofs>().default('{}'),
    /** Who comes in: those invited, or anyone it vouches for. */
    admission: p.string().$type<'invited' | 'anyone'>().default('invited'),
    /** What somebody becomes whom nobody has invited. */
    role: () => p.manyToOne(Role).nullable(),
    joinTeam: () => p.manyToOne(Team).fieldName('join_team').nullable(),
    /** Issuer of OpenID Connect, or entity id of SAML. */
    issuer: p.string().length(1_000),
    clientId: p.string().length(500).nullable(),
    entryPoint: p.string().length(1_000).nullable(),
    /** What its assertions are signed with, PEM. */
    certificates: p.json<readonly string[]>().default('[]'),
    secretSetAt: p.datetime().nullable(),
    /** Attribute of SAML that names an account for good; the persistent name id when null. */
    subjectAttribute: p.string().length(500).nullable(),
  },
})

/** Who vouches for people beside ourselves, by OpenID Connect or SAML. Its client secret is not here: no read of records answers it. */
export class IdentityProvider extends IdentityProviderSchema.class {}
IdentityProviderSchema.setClass(IdentityProvider)
