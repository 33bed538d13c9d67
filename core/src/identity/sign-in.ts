import type { BetterAuthPlugin } from 'better-auth'
import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs } from 'kysely'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Sql } from '../database/database.ts'
import { foldedEmail } from './folded-email.ts'
import { hashPassword, longestPassword, passwordMatches, shortestPassword } from './passwords.ts'

export interface SignInOptions {
  readonly owner: Sql
  readonly clock: Clock
  readonly log: Logger
  readonly baseUrl: string
  readonly secret: string
  /** Seconds a session lasts. */
  readonly sessionSeconds: number
}

/** How somebody comes in. */
export interface Entry {
  readonly user: string
  readonly rememberMe: boolean
  /** With a second factor or a passkey. */
  readonly strong: boolean
  /** The identity provider that vouched for them, and the one workspace it speaks for. */
  readonly through?: Through | undefined
  /** When they showed that it is them: now when absent, null where nobody knows. */
  readonly presentAt?: string | null | undefined
}

export interface Through {
  readonly provider: string
  readonly workspace: string
}

export const authPath = '/api/auth'

/** Header in which the sign-in library is handed the client's address; never taken from outside. */
export const addressHeader = 'x-socle-client-address'

export const cookiePrefix = 'socle'

/** The cookie that carries a session; `__Secure-` makes browsers refuse it over plain http. */
export function sessionCookie(baseUrl: string): string {
  return `${baseUrl.startsWith('https:') ? '__Secure-' : ''}${cookiePrefix}.session_token`
}

/** The database answers instants as text everywhere else; the sign-in library compares them as dates. */
class InstantsAsDates implements KyselyPlugin {
  transformQuery({ node }: PluginTransformQueryArgs) {
    return node
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    for (const row of result.rows) {
      for (const [column, value] of Object.entries(row)) {
        if (column.endsWith('_at') && typeof value === 'string') row[column] = new Date(value)
      }
    }
    return result
  }
}

const stamps = { createdAt: 'created_at', updatedAt: 'updated_at' }

/** Opens a session for whoever has proved who they are, however they did; reached from here alone, never by a request. */
async function sessionOpener() {
  const { createAuthEndpoint } = await import('better-auth/api')
  const { setSessionCookie } = await import('better-auth/cookies')
  return {
    id: 'socle',
    endpoints: {
      openSession: createAuthEndpoint(
        '/socle/open-session',
        {
          method: 'POST',
          metadata: { SERVER_ONLY: true },
          body: z.object({ user: z.string(), rememberMe: z.boolean() }),
        },
        async (ctx) => {
          const { user: id, rememberMe } = ctx.body
          const session = await ctx.context.internalAdapter.createSession(id, !rememberMe)
          const user = await ctx.context.internalAdapter.findUserById(id)
          if (!session || !user) throw ctx.error('NOT_FOUND')
          await setSessionCookie(ctx, { session, user }, !rememberMe)
          return ctx.json({ token: session.token })
        },
      ),
    },
  } satisfies BetterAuthPlugin
}

/** better-auth on the `core` schema. Everything of it that Socle does not use is switched off. */
async function openBetterAuth({ owner, clock, log, baseUrl, secret, sessionSeconds }: SignInOptions) {
  const { betterAuth } = await import('better-auth')
  return betterAuth({
    plugins: [await sessionOpener()],
    appName: 'Socle',
    baseURL: baseUrl,
    basePath: authPath,
    secret,
    database: { db: owner.withSchema('core').withPlugin(new InstantsAsDates()), type: 'postgres' },
    user: { modelName: 'user', fields: { ...stamps, emailVerified: 'email_verified' } },
    session: {
      modelName: 'session',
      fields: {
        ...stamps,
        userId: 'user_id',
        expiresAt: 'expires_at',
        ipAddress: 'ip_address',
        userAgent: 'user_agent',
      },
      expiresIn: sessionSeconds,
      disableSessionRefresh: true,
    },
    account: {
      modelName: 'credential',
      fields: {
        ...stamps,
        accountId: 'account_id',
        providerId: 'provider_id',
        userId: 'user_id',
        accessToken: 'access_token',
        refreshToken: 'refresh_token',
        idToken: 'id_token',
        accessTokenExpiresAt: 'access_token_expires_at',
        refreshTokenExpiresAt: 'refresh_token_expires_at',
      },
    },
    verification: { modelName: 'verification', fields: { ...stamps, expiresAt: 'expires_at' } },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: shortestPassword,
      maxPasswordLength: longestPassword,
    },
    databaseHooks: {
      session: {
        create: {
          // Sessions begin and end by the platform's clock, which judges them.
          before: async (session) => ({
            data: {
              ...session,
              createdAt: clock.now(),
              expiresAt: new Date(clock.now().getTime() + session.expiresAt.getTime() - Date.now()),
            },
          }),
        },
      },
    },
    // Waiting after failures and the origin of a request are ours: the same for passwords, keys and every other route.
    rateLimit: { enabled: false },
    advanced: {
      cookiePrefix,
      useSecureCookies: baseUrl.startsWith('https:'),
      disableCSRFCheck: true,
      disableOriginCheck: true,
      database: { generateId: () => uuidv7() },
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
    telemetry: { enabled: false },
    logger: {
      level: 'error',
      log: (level, message) => {
        log[level === 'error' ? 'error' : 'debug']({ from: 'sign-in' }, message)
      },
    },
  })
}

type BetterAuth = Awaited<ReturnType<typeof openBetterAuth>>

/** Checks passwords, and opens and ends sessions. The library behind it is loaded at the first sign-in, not at the start. */
export class SignIn {
  readonly #options: SignInOptions
  #auth: Promise<BetterAuth> | undefined

  constructor(options: SignInOptions) {
    this.#options = options
  }

  /** The user an address and a password belong to. */
  async check({ email, password }: { email: string; password: string }): Promise<string | undefined> {
    const { rows } = await sql<{ id: string; password: string | null }>`
      select u.id, c.password from core."user" u
      left join core.credential c on c.user_id = u.id and c.provider_id = 'credential'
      where lower(u.email) = ${foldedEmail(email)}`.execute(this.#options.owner)
    const hash = rows[0]?.password ?? null
    if (hash === null || password.length > longestPassword) {
      // As much work for an address nobody has: how long the answer takes tells nothing.
      await hashPassword(password.slice(0, longestPassword))
      return undefined
    }
    return (await passwordMatches(hash, password)) ? rows[0]?.id : undefined
  }

  /** @returns the answer whose cookies carry the new session */
  async open(
    request: Request,
    { user, rememberMe, strong, through, presentAt = this.#options.clock.now().toISOString() }: Entry,
    address: string | undefined,
  ): Promise<Response> {
    const auth = await this.#opened()
    const headers = headersFor(request, address)
    // What the browser had before says nothing about who signs in now.
    headers.delete('cookie')
    const answer = await auth.api.openSession({ body: { user, rememberMe }, headers, asResponse: true })
    if (!answer.ok) throw new Error(`Opening a session failed: ${await answer.text()}`)
    const { token } = (await answer.json()) as { token: string }
    const { provider = null, workspace = null } = through ?? {}
    await sql`
      update core.session set strong = ${strong}, present_at = ${presentAt}::timestamptz, provider = ${provider}, bound_to = ${workspace}, workspace = ${workspace}
      where token = ${token}`.execute(this.#options.owner)
    return answer
  }

  async leave(request: Request): Promise<Response> {
    const auth = await this.#opened()
    const url = new URL(`${authPath}/sign-out`, this.#options.baseUrl)
    return auth.handler(new Request(url, { method: 'POST', headers: headersFor(request, undefined), body: '{}' }))
  }

  async endSession(token: string): Promise<void> {
    await sql`delete from core.session where token = ${token}`.execute(this.#options.owner)
  }

  #opened(): Promise<BetterAuth> {
    return (this.#auth ??= openBetterAuth(this.#options))
  }
}

/** What the sign-in library is told of a request. */
function headersFor(request: Request, address: string | undefined): Headers {
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const name of ['cookie', 'user-agent']) {
    const value = request.headers.get(name)
    if (value !== null) headers.set(name, value)
  }
  if (address !== undefined) headers.set(addressHeader, address)
  return headers
}
