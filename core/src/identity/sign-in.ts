import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs } from 'kysely'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.ts'
import type { Sql } from '../database/database.ts'
import { longestPassword, shortestPassword } from './passwords.ts'

export interface SignInOptions {
  readonly owner: Sql
  readonly clock: Clock
  readonly log: Logger
  readonly baseUrl: string
  readonly secret: string
  /** Seconds a session lasts. */
  readonly sessionSeconds: number
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

/** better-auth on the `core` schema. Everything of it that Socle does not use is switched off. */
async function openBetterAuth({ owner, clock, log, baseUrl, secret, sessionSeconds }: SignInOptions) {
  const { betterAuth } = await import('better-auth')
  return betterAuth({
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
          // Sessions end by the platform's clock, which judges them.
          before: async (session) => ({
            data: { ...session, expiresAt: new Date(clock.now().getTime() + session.expiresAt.getTime() - Date.now()) },
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

/** Checks passwords and opens and ends sessions. The library behind it is loaded at the first sign-in, not at the start. */
export class SignIn {
  readonly #options: SignInOptions
  #auth: Promise<BetterAuth> | undefined

  constructor(options: SignInOptions) {
    this.#options = options
  }

  async enter(
    request: Request,
    body: { email: string; password: string; rememberMe?: boolean },
    address: string | undefined,
  ): Promise<Response> {
    return this.#forward(request, '/sign-in/email', body, address)
  }

  async leave(request: Request): Promise<Response> {
    return this.#forward(request, '/sign-out', {}, undefined)
  }

  async endSession(token: string): Promise<void> {
    await sql`delete from core.session where token = ${token}`.execute(this.#options.owner)
  }

  async #forward(request: Request, path: string, body: object, address: string | undefined): Promise<Response> {
    const headers = new Headers({ 'content-type': 'application/json' })
    for (const name of ['cookie', 'user-agent']) {
      const value = request.headers.get(name)
      if (value !== null) headers.set(name, value)
    }
    if (address !== undefined) headers.set(addressHeader, address)
    const auth = await (this.#auth ??= openBetterAuth(this.#options))
    const url = new URL(authPath + path, this.#options.baseUrl)
    return auth.handler(new Request(url, { method: 'POST', headers, body: JSON.stringify(body) }))
  }
}
