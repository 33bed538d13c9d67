import { ProblemError, api, t, toast } from '@socle/sdk/ui'

export interface PluginCard {
  readonly id: string
  readonly title: string
  readonly description?: string
  readonly icon?: string
  readonly version: string
  /** `asleep` is on by the table while its code is not there, as in safe mode; `available` was removed and can be installed. */
  readonly state: 'enabled' | 'disabled' | 'quarantined' | 'asleep' | 'removing' | 'available'
  /** The job that takes it away. */
  readonly removal?: { readonly job: string; readonly mode: string }
  /** Whether its code runs here, so that it can be switched on. */
  readonly loaded: boolean
  /** Whether it is off here by the table, where it stands as stopped for another reason. */
  readonly off: boolean
  /** Why it was stopped. */
  readonly reason?: string
  /** It has something to choose. */
  readonly settings?: boolean
  readonly requires?: readonly { readonly id: string; readonly title: string }[]
  /** Slots and extension points it adds to that nobody offers here. */
  readonly waitsFor?: readonly string[]
  readonly requiredBy?: readonly { readonly id: string; readonly title: string }[]
  readonly brings?: {
    readonly screens?: readonly string[]
    readonly resources?: readonly string[]
    readonly jobs?: number
    readonly permissions?: number
    readonly roles?: readonly string[]
  }
  readonly incident?: {
    readonly message: string
    readonly stackLine?: string
    readonly at?: string
    readonly count?: number
  }
}

export interface Breaks {
  readonly screens?: readonly { readonly title: string; readonly path?: string }[]
  readonly pages?: readonly { readonly title: string; readonly path: string }[]
  readonly records?: readonly { readonly resource: string; readonly name: string; readonly count: number }[]
  readonly jobs?: readonly { readonly id: string; readonly title?: string }[]
  readonly fills?: readonly { readonly slot: string; readonly title?: string }[]
  readonly roles?: readonly { readonly id: string; readonly name: string }[]
  readonly subscriptions?: readonly { readonly id: string; readonly event: string; readonly held: number }[]
  readonly heldEvents?: number
  readonly fields?: readonly { readonly resource: string; readonly title: string }[]
  readonly views?: readonly { readonly id: string; readonly name: string; readonly resource: string }[]
  readonly links?: readonly { readonly from: string; readonly to: string; readonly title: string }[]
  readonly running?: readonly { readonly id: string; readonly kind: string }[]
  /** What others fill, contribute to or use of it. */
  readonly uses?: readonly {
    readonly plugin: string
    readonly title: string
    readonly kind: 'fills' | 'contributes' | 'uses'
    readonly what: string
  }[]
  readonly dependents?: readonly { readonly id: string; readonly title: string }[]
}

export interface Person {
  readonly id: string
  readonly version: number
  readonly name: string
  /** Told to whoever manages people. */
  readonly email?: string
  readonly state: 'active' | 'invited' | 'inactive'
  /** Set for somebody of a partner; null for the people of the house. */
  readonly partner?: string | null
  readonly locale: 'en' | 'fr'
  readonly team?: string | null
  /** User id of whom they report to. */
  readonly manager?: string | null
  readonly roles?: readonly string[]
  /** Instants at which roles end, by role id; those held for good are not in it. */
  readonly roleEnds?: Readonly<Record<string, string>>
  readonly lastSeenAt?: string | null
  readonly createdAt: string
  /** Whether they sign in with an authenticator app, and how many passkeys they have. */
  readonly app?: boolean
  readonly passkeys?: number
  /** Until when their invitation can be accepted. */
  readonly invitedUntil?: string | null
}

/** A link by which somebody comes in, shown this once. */
export interface Way {
  /** Path below this installation's address. */
  readonly link: string
  readonly expiresAt: string
}

/** A browser somebody is signed in with. */
export interface SessionRow {
  readonly id: string
  readonly userAgent: string | null
  readonly address: string | null
  readonly createdAt: string
  readonly seenAt: string
  /** Opened with a second factor or a passkey. */
  readonly strong: boolean
  /** Name of the identity provider it was opened through. */
  readonly through?: string | null
  /** The one that asks; never so for somebody else's. */
  readonly isThis?: boolean
}

export interface Team {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly parent?: string | null
  /** User id of who leads it. */
  readonly lead?: string | null
  readonly members?: readonly string[]
}

export type Visibility = 'own' | 'team' | 'all'
export type FieldAccess = 'none' | 'masked' | 'read' | 'write'

export interface Grant {
  readonly resource: string
  readonly action: string
  readonly visibility?: Visibility
  readonly condition?: string
  readonly deny?: boolean
}

export interface FieldGrant {
  readonly resource: string
  readonly field: string
  readonly access: FieldAccess
}

export interface Role {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly template?: string | null
  /** The administrator role, which nobody may change. */
  readonly system?: boolean
  readonly users?: number
  /** Lines about records. */
  readonly grants: readonly Grant[]
  /** Ids of permissions without a record. */
  readonly permissions?: readonly string[]
  readonly fields: readonly FieldGrant[]
}

export interface PermissionCatalog {
  readonly resources: readonly {
    readonly id: string
    readonly plugin: string
    readonly pluginTitle: string
    readonly name: string
    readonly actions: readonly string[]
    readonly fields: readonly { readonly name: string; readonly label: string }[]
  }[]
  readonly permissions: readonly {
    readonly id: string
    readonly plugin: string
    readonly pluginTitle: string
    readonly title: string
  }[]
}

export interface ApiKey {
  readonly id: string
  readonly name: string
  /** The first characters, by which its owner knows it. */
  readonly start: string
  readonly role: string
  readonly roleName?: string
  readonly createdAt: string
  readonly expiresAt?: string | null
  readonly lastUsedAt?: string | null
  readonly revokedAt?: string | null
  readonly addresses?: readonly string[]
  /** Until when the secret before the newest works too; null when there is one alone. */
  readonly oldUntil?: string | null
  /** When that older secret was last used. */
  readonly oldUsedAt?: string | null
  /** Who made it: a person, or a key with which it ends. */
  readonly createdBy?: { readonly id: string; readonly name: string } | null
  readonly madeByKey?: { readonly id: string; readonly name: string } | null
}

/** Who vouches for people beside ourselves. */
export interface IdentityProvider {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly kind: 'oidc' | 'saml'
  readonly enabled: boolean
  readonly shown: boolean
  readonly exclusive: boolean
  readonly strong: boolean
  readonly domains: readonly string[]
  readonly admission: 'invited' | 'anyone'
  readonly role: string | null
  readonly joinTeam: string | null
  readonly issuer: string
  readonly clientId: string | null
  readonly entryPoint: string | null
  readonly certificates: readonly string[]
  readonly secretSetAt: string | null
  /** Attribute of SAML that names an account for good; the persistent name id when null. */
  readonly subjectAttribute: string | null
  /** How many people have come in through it. */
  readonly people: number
  /** What to copy into the provider: where it sends people back, and for SAML where it posts and who we are. */
  readonly redirect: string
  readonly acs: string
  readonly entityId: string
  /** What to publish in the DNS of each domain, and whether it was found there: it speaks for no other. */
  readonly proofs: readonly DomainProof[]
}

export interface DomainProof {
  readonly domain: string
  readonly isProved: boolean
  /** Since when what proved it has not been found, and whether nobody new comes in by it for that. */
  readonly missed: { readonly since: string; readonly isSuspended: boolean } | null
  /** Name and text of the TXT record. */
  readonly name: string
  readonly value: string
}

/** An account at an identity provider that is somebody here. */
export interface ExternalIdentity {
  readonly id: string
  /** What the provider is called. */
  readonly provider: string
  /** What the provider calls the account for good. */
  readonly subject: string
  readonly createdAt: string
  readonly lastUsedAt: string
  /** Of one's own: the company whose provider it is. */
  readonly workspace?: string
}

/** One thing a test of a provider looked at. */
export interface ProviderCheck {
  readonly id: string
  readonly ok: boolean
  readonly detail?: string
  readonly values?: Readonly<Record<string, string>>
}

export interface AuditEntry {
  readonly id: string
  readonly at: string
  readonly actor: { readonly type: string; readonly id: string | null; readonly name: string }
  readonly origin: string
  readonly reason?: string | null
  readonly undoOf?: string | null
  readonly undone?: boolean
  /** Changes in it, of which `changes` shows the first. */
  readonly count?: number
  readonly mayUndo?: boolean
  readonly changes: readonly {
    readonly resource: string
    readonly record: string
    readonly title?: string | null
    readonly action: 'create' | 'update' | 'delete' | 'restore'
    readonly changes: readonly { readonly field: string; readonly old: unknown; readonly new: unknown }[]
  }[]
}

/** All rows of an administration list; these are short, but pages are followed where the server pages. */
export async function everything<T>(path: string): Promise<readonly T[]> {
  const rows: T[] = []
  let after: string | null = null
  do {
    const mark: string = path.includes('?') ? '&' : '?'
    const answer: { data: readonly T[]; page?: { next: string | null } } = await api.get(
      after ? `${path}${mark}after=${encodeURIComponent(after)}` : path,
    )
    rows.push(...answer.data)
    after = answer.page?.next ?? null
  } while (after)
  return rows
}

export function sentenceOf(problem: unknown): string {
  if (!(problem instanceof ProblemError)) return problem instanceof Error ? problem.message : String(problem)
  const faults = problem.errors.map((it) => it.detail).filter(Boolean)
  return faults.length > 0 ? faults.join(' ') : problem.detail
}

export function tellProblem(problem: unknown): void {
  toast({ text: sentenceOf(problem), tone: 'danger' })
}

export async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
  toast({ text: t('shell.copied'), tone: 'success' })
}
