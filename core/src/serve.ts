import { join, resolve } from 'node:path'
import { serve as listen } from '@hono/node-server'
import { pino, type Logger } from 'pino'
import { textsFrom } from './identity/sign-on/domain-proof.ts'
import { createApp, type App, type AppOptions } from './app.ts'
import { listOf, type Environment } from './config.ts'
import { embeddedDatabase, openPGlite, serverDatabase, type Database } from './database/database.ts'
import { holdFolder } from './database/embedded-folder.ts'
import { GivenClock } from './given-clock.ts'
import { discreet } from './log.ts'
import type { PluginDefinition } from './plugins/define-plugin.ts'
import { deployedPlugins } from './plugins/deployment.ts'
import type { PluginSource } from './plugins/plugin-source.ts'
import { signersOf } from './plugins/store/signature.ts'
import { watch } from './plugins/watchdog.ts'
import { Wear } from './plugins/wear.ts'
import { within } from './plugins/within.ts'
import { guardProcess } from './process-guard.ts'

/** Exit code of a process that is to be started afresh (EX_TEMPFAIL of sysexits). */
export const recycledExitCode = 75

const recycleSpreadMilliseconds = 300_000

/** Seconds from the last request until nothing runs any more; deliveries and jobs take ten at most to let go. */
const longestEnd = 25

export interface ServeOptions {
  readonly environment: Environment
  /** Folder of the deployment's package.json, among whose dependencies its plugins are. */
  readonly deployment?: URL
  /** Plugins beside those. */
  readonly plugins?: readonly (PluginDefinition | PluginSource)[]
  readonly ui?: NonNullable<AppOptions['ui']>
  /** Asked when so many modules were replaced that a fresh process should take over; see `SOCLE_RECYCLE_UPGRADES`. */
  readonly onWorn?: () => void
  /** Said to the person who started it: address and first sign-in. Nothing of it goes to the log. */
  readonly tell: (line: string) => void
}

/** A platform that listens. */
export interface Served {
  readonly app: App
  readonly url: string
  /** Takes nothing more; requests under way are answered, within `SOCLE_DRAIN_SECONDS`. */
  close(): Promise<void>
}

/**
 * Opens the deployment's database: the server's, or the embedded one in its folder, which is this process's alone until it is closed.
 *
 * @throws `DATABASE_IN_USE` (409)
 */
export async function openDatabase(environment: Environment): Promise<Database> {
  if (environment.DATABASE_URL !== undefined)
    return serverDatabase(environment.DATABASE_URL, { connections: environment.DATABASE_CONNECTIONS })
  const folder = join(resolve(environment.SOCLE_DATA), 'database')
  const giveBack = await holdFolder(folder)
  try {
    const database = await embeddedDatabase(await openPGlite(folder))
    return {
      ...database,
      async close() {
        await database.close()
        giveBack()
      },
    }
  } catch (error) {
    giveBack()
    throw error
  }
}

/**
 * Starts the platform: database, migrations, first administrator, demonstration company, HTTP, background work.
 *
 * On an empty installation it makes an administrator, the given one or its own, and says the sign-in once.
 */
export async function serve({
  environment,
  deployment,
  plugins = [],
  ui,
  onWorn,
  tell,
}: ServeOptions): Promise<Served> {
  const log: Logger = pino({ level: environment.LOG_LEVEL, ...discreet })
  const guard = guardProcess(log)
  const database = await openDatabase(environment)
  const publicUrl = environment.SOCLE_URL ?? `http://localhost:${environment.PORT}`
  const app = await createApp({
    database,
    plugins: environment.SAFE_MODE ? [] : [...(deployment ? deployedPlugins(deployment) : []), ...plugins],
    safeMode: environment.SAFE_MODE,
    drainSeconds: environment.SOCLE_DRAIN_SECONDS,
    unitSeconds: environment.SOCLE_MODULE_SECONDS,
    quarantine: {
      failures: environment.SOCLE_QUARANTINE_FAILURES,
      calls: environment.SOCLE_QUARANTINE_CALLS,
      stallSeconds: environment.SOCLE_QUARANTINE_STALL_SECONDS,
    },
    log,
    ...(environment.SOCLE_TEST_CLOCK ? { testClock: new GivenClock(database) } : {}),
    ...(environment.SOCLE_METRICS_TOKEN === undefined ? {} : { metricsToken: environment.SOCLE_METRICS_TOKEN }),
    ...(environment.DATABASE_URL === undefined ? {} : { databaseUrl: environment.DATABASE_URL }),
    identity: {
      baseUrl: publicUrl,
      trustedOrigins: listOf(environment.SOCLE_TRUSTED_ORIGINS),
      trustedProxies: listOf(environment.SOCLE_TRUSTED_PROXIES),
      sessionHours: environment.SOCLE_SESSION_HOURS,
      ...(environment.SOCLE_SECRET === undefined ? {} : { secret: environment.SOCLE_SECRET }),
    },
    store: {
      folder: join(resolve(environment.SOCLE_DATA), 'plugins'),
      signatures: {
        required: environment.SOCLE_PLUGIN_SIGNED,
        signers: signersOf(listOf(environment.SOCLE_PLUGIN_SIGNERS)),
      },
    },
    outgoing: { allowed: listOf(environment.SOCLE_OUTGOING_ALLOWED) },
    resolveTexts: textsFrom(listOf(environment.SOCLE_DNS_SERVERS)),
    ...(ui ? { ui } : {}),
  })
  guard.tell(app.kernel.parts.faults)
  const most = environment.SOCLE_RECYCLE_UPGRADES ?? (database.kind === 'pglite' ? 0 : 20)
  const wear =
    onWorn && most > 0 ? new Wear({ most, spreadMilliseconds: recycleSpreadMilliseconds, onWorn }) : undefined
  if (wear) app.kernel.parts.loaded.attach(wear)
  await app.start()
  await firstStart(app, environment, tell)
  // Not before: filling a demonstration company holds up nobody, for nobody is served yet.
  const watchdog = watch(app.kernel.parts.faults, log)
  const server = await new Promise<ReturnType<typeof listen>>((done) => {
    const listening = listen({ fetch: app.fetch, port: environment.PORT, hostname: environment.HOST }, () =>
      done(listening),
    )
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : environment.PORT
  const url = environment.SOCLE_URL ?? `http://localhost:${port}`
  tell(`Socle listens on ${url}`)
  if (database.kind === 'pglite') {
    tell(
      `Embedded database in ${resolve(environment.SOCLE_DATA)}: right for a trial or a laptop. Set DATABASE_URL for PostgreSQL.`,
    )
  }
  return {
    app,
    url,
    async close() {
      wear?.stop()
      const closed = new Promise<void>((done) => server.close(() => done()))
      // Streams to open tabs never end by themselves.
      app.endStreams()
      const patience = setTimeout(() => {
        if ('closeAllConnections' in server) server.closeAllConnections()
      }, environment.SOCLE_DRAIN_SECONDS * 1_000)
      await closed
      clearTimeout(patience)
      const ended = async () => {
        await app.stop()
        await watchdog.stop()
        await database.close()
      }
      // Code of modules may still wait for whatever it likes: what the database has is safe, and whoever ended the process waits.
      await within(longestEnd, new Error(`Not everything had ended after ${longestEnd} s.`), ended).catch(
        (error: unknown) => log.error({ err: error }, 'the process ends all the same'),
      )
      guard.leave()
    },
  }
}

async function firstStart(app: App, environment: Environment, tell: (line: string) => void): Promise<void> {
  const demo = environment.SOCLE_DEMO ?? environment.DATABASE_URL === undefined
  const email = environment.SOCLE_ADMIN_EMAIL ?? 'admin@example.com'
  const first = await app.identity.ensureFirstAdmin({
    email,
    name: 'Claire Martin',
    workspace: { name: demo ? 'Acme Distribution' : 'Socle', locale: environment.SOCLE_LOCALE },
    ...(environment.SOCLE_ADMIN_PASSWORD === undefined ? {} : { password: environment.SOCLE_ADMIN_PASSWORD }),
  })
  if (!first?.made) return
  if (demo) {
    tell('Preparing the demonstration company…')
    for (const { id } of app.kernel.parts.plugins) {
      if (id === 'core') continue
      // One that cannot start is not missed by the others; why stands on its card.
      await app.toggle.enable(first.workspace, id, first.user).catch((error: unknown) => {
        tell(`${id} stays off: ${error instanceof Error ? error.message : String(error)}`)
      })
    }
    await app.fillWithDemo(first.workspace)
  }
  tell(
    `Sign in as ${email}${first.password === undefined ? '' : ` with the password ${first.password} (shown this once)`}`,
  )
}
