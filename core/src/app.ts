import { sql } from 'kysely'
import { pino, type Logger } from 'pino'
import type { Actor, Workspace } from './actor.ts'
import { systemClock, type Clock } from './clock.ts'
import type { GivenClock } from './given-clock.ts'
import { corePlugin } from './core-plugin.ts'
import type { Database } from './database/database.ts'
import { Signals } from './database/signals.ts'
import {
  Deliveries,
  forgetEvents,
  keepSubscriptions,
  LiveStream,
  replayKind,
  retentionKind,
  runReplay,
} from './events/index.ts'
import { createHost, type RouteAddress } from './http/host.ts'
import { Outgoing, type OutgoingConfig } from './http/outgoing.ts'
import type { ResolveTexts } from './identity/sign-on/domain-proof.ts'
import { staticUi } from './http/static-ui.ts'
import { createIdentity, type Identity, type IdentityConfig } from './identity/identity.ts'
import { installationSecret } from './identity/secret.ts'
import { letIn } from './identity/sign-on/vouching.ts'
import { UserService } from './identity/user-service.ts'
import { Jobs, type JobsOptions } from './jobs/index.ts'
import { Kernel } from './kernel.ts'
import { Authorities } from './permissions/authorities.ts'
import { systemAuthority } from './permissions/system-authority.ts'
import { assemble } from './plugins/assemble.ts'
import type { PluginDefinition } from './plugins/define-plugin.ts'
import { Enablement } from './plugins/enablement.ts'
import { fillWithDemo } from './plugins/demo.ts'
import { Faults, type Thresholds } from './plugins/faults.ts'
import { Generation } from './plugins/generation.ts'
import { Incidents } from './plugins/incidents.ts'
import { dismissUnwell, firstSet, keepPlugins, settle } from './plugins/installation.ts'
import { installedVersions, loadPlugins } from './plugins/loading.ts'
import { Operations } from './plugins/operations.ts'
import { present, type PluginSource } from './plugins/plugin-source.ts'
import { PluginSettings } from './plugins/settings/plugin-settings.ts'
import { Processes } from './plugins/processes.ts'
import { Revival } from './plugins/revival.ts'
import { Scopes } from './plugins/scopes.ts'
import { Uninstaller } from './plugins/removal/uninstaller.ts'
import { removedPlugins, storedPlugins } from './plugins/store/artefacts.ts'
import { Installer } from './plugins/store/installer.ts'
import { PluginStore, type StoreOptions } from './plugins/store/plugin-store.ts'
import { storeUi } from './plugins/store/store-ui.ts'
import { Toggle } from './plugins/toggle.ts'
import { Turnover } from './plugins/turnover.ts'
import { registerPrivacyJobs } from './privacy/index.ts'
import { PrivacyKeys } from './privacy/keys.ts'
import { demoRemovalKind, removeDemo } from './records/demo-removal.ts'
import { indexJob, indexJobKind } from './records/fields/index-job.ts'
import { OwnFields } from './records/fields/own-fields.ts'
import { LedgerSealer } from './records/ledger-chain.ts'
import { runScan, scanKind } from './records/duplicates/jobs.ts'
import { orphanScanKind, scanOrphans } from './records/orphans.ts'
import { refreshSideWords, sideWordsKind } from './records/sides/words.ts'
import type { Resources } from './records/registry.ts'
import { Words } from './words.ts'

export interface AppOptions {
  readonly database: Database
  /** Installed plugins, or where they are to be loaded from; what is on in a workspace is switched at run time. */
  readonly plugins: readonly (PluginDefinition | PluginSource)[]
  readonly identity: IdentityConfig
  /** What the platform itself may fetch beside the public net. */
  readonly outgoing?: OutgoingConfig
  /** How texts in the DNS are read; by the system's name servers when absent. */
  readonly resolveTexts?: ResolveTexts
  /** Where plugins that come as archives are unpacked on this machine, and whose are taken; `./data/plugins` and anybody's when absent. */
  readonly store?: StoreOptions
  readonly clock?: Clock
  /** In the clock's place: one that is set by request, for tests of a running platform. */
  readonly testClock?: GivenClock
  readonly log?: Logger
  /** Connection string of the database's server, for the job queue's own connections. */
  readonly databaseUrl?: string
  /** What was built for the browser, and the words it says. */
  readonly ui?: { readonly folder: URL; readonly words: readonly { readonly owner: string; readonly folder: URL }[] }
  /** How soon background work is taken up, and taken over from a process that died. */
  readonly pace?: Pick<JobsOptions, 'pollMilliseconds' | 'recoverSeconds'>
  /** Starts without any plugin: no code of theirs is run. */
  readonly safeMode?: boolean
  /** Seconds that work of a plugin may still take when the plugin is switched off, 10 when absent. */
  readonly drainSeconds?: number
  /** Seconds that code of plugins may take for one request, 30 when absent. */
  readonly unitSeconds?: number
  /** What whoever reads `/metrics` has to bring as a bearer token; closed when absent. */
  readonly metricsToken?: string
  /** How often a plugin may fail before it is stopped; 5 of 20 calls, or 10 s of standstill a minute, when absent. */
  readonly quarantine?: Partial<Thresholds>
  /** Brings schemas to their newest version first; on unless a deployment migrates by its own step. */
  readonly migrate?: boolean
}

/** A running platform in this process. */
export interface App {
  /** The HTTP face, for any server that speaks Fetch. */
  readonly fetch: (request: Request, env?: object) => Promise<Response>
  /** Every address that answers, so that checks can tell when one was forgotten. */
  readonly routes: readonly RouteAddress[]
  readonly kernel: Kernel
  readonly identity: Identity
  readonly deliveries: Deliveries
  readonly jobs: Jobs
  readonly toggle: Toggle
  readonly revival: Revival
  readonly installer: Installer
  readonly uninstaller: Uninstaller
  readonly ledger: LedgerSealer
  /** Begins background work: deliveries, jobs, listening to other processes. */
  start(): Promise<void>
  /** Ends the streams to open tabs, which open them again elsewhere. */
  endStreams(): void
  stop(): Promise<void>
  /** Fills a workspace with the demonstration data of its enabled plugins. */
  fillWithDemo(workspace: Workspace): Promise<void>
}

/** The composition root: every part is made here and handed to those that need it, and nowhere else. */
export async function createApp(options: AppOptions): Promise<App> {
  const { database, testClock, log = pino({ level: 'info' }), unitSeconds = 30 } = options
  const clock = testClock ?? options.clock ?? systemClock
  const signals = new Signals(database)
  // Asked when a request runs, when all of it is loaded.
  const core = corePlugin(
    (workspace) => ({ plugins: loaded.set.plugins, catalog: fields.lastKnown(workspace) }),
    () => (request, ctx) => jobs.enqueue(request, ctx),
    (workspace) => fields.declaredIn(workspace),
    { keys: () => keys, signals },
    () => identity,
  )
  const ofDeployment = options.plugins.map((plugin) => ('load' in plugin ? plugin : present(plugin)))
  const store = new PluginStore({ database, clock }, options.store ?? { folder: 'data/plugins', signatures: anybody })
  const removed = await removedPlugins(database.owner)
  const sources = async () => {
    const gone = await removedPlugins(database.owner)
    const stored = (await storedPlugins(database.owner)).filter(({ id }) => !ofDeployment.some((it) => it.id === id))
    return [...ofDeployment.filter(({ id }) => !gone.has(id)), ...stored.map((it) => store.source(it))]
  }
  const { plugins, faults: unloaded } = await loadPlugins(core, options.safeMode ? [] : await sources(), {
    installed: await installedVersions(database.owner),
    ...(options.migrate === false ? {} : { owner: database.owner }),
  })
  await testClock?.follow()
  const loaded = firstSet(plugins, (list) => assemble(list, { database, log }))
  const incidents = new Incidents({ database, clock, log })
  const keys = await PrivacyKeys.of(database.owner)

  const catalog = () => loaded.set.catalog
  const generation = new Generation({ database, signals, log })
  const enablement = new Enablement({ database, signals, generation }, (id) => loaded.get(id) !== undefined)
  const scopes = new Scopes({ enablement, signals, log }, { drainSeconds: options.drainSeconds ?? 10, unitSeconds })
  const faults = new Faults(
    {
      incidents,
      log,
      plugins: () => loaded.set.plugins,
      async stop({ workspace, plugin }, why) {
        const places = workspace === undefined ? await enablement.workspacesOf(plugin) : [workspace]
        for (const place of places) await toggle.quarantine({ workspace: place, plugin }, why)
      },
    },
    { failures: 5, calls: 20, stallSeconds: 10, ...options.quarantine },
  )
  const fields = new OwnFields({ database, signals, catalog, log })
  const authorities = new Authorities({
    database,
    clock,
    log,
    signals,
    // Asked when rights are compiled, in a unit that has read both.
    catalog: (workspace) => ({
      get: (id) => existing(fields.lastKnown(workspace), enablement.lastKnown(workspace), id),
    }),
  })
  const words = wordsOf(options.ui?.words ?? [])
  loaded.attach(words)
  const kernel = new Kernel({
    database,
    signals,
    clock,
    log,
    words,
    loaded,
    incidents,
    settings: new PluginSettings({
      database,
      clock,
      secret: options.identity.secret ?? (await installationSecret(database.owner, 'session')),
    }),
    fields,
    authorities,
    enablement,
    generation,
    scopes,
    faults,
    safeMode: options.safeMode === true,
    unitSeconds,
    get plugins() {
      return loaded.set.plugins
    },
    get catalog() {
      return loaded.set.catalog
    },
    get orm() {
      return loaded.set.orm
    },
    get events() {
      return loaded.set.events
    },
  })
  const identity: Identity = await createIdentity({
    database,
    config: options.identity,
    outgoing: new Outgoing(options.outgoing, log),
    resolveTexts: options.resolveTexts,
    clock,
    log,
    authorities,
    signals,
    asPerson: (workspace, actor, work) =>
      kernel.unit({ workspace, actor, authority: systemAuthority, cause: { origin: 'ui' }, plugin: 'core' }, work),
    useLink: (workspace, id, choice) => {
      const actor: Actor = { type: 'user', id, name: choice.name, locale: workspace.locale }
      const unit = { workspace, actor, authority: systemAuthority, cause: { origin: 'ui' }, plugin: 'core' }
      return kernel.unit(unit, (ctx) => new UserService(ctx).useLink(id, choice))
    },
    letIn: (vouched) => {
      const { workspace } = vouched.provider
      const actor: Actor = {
        type: 'user',
        ...(vouched.user === undefined ? {} : { id: vouched.user }),
        name: vouched.name,
        locale: workspace.locale,
      }
      const unit = { workspace, actor, authority: systemAuthority, cause: { origin: 'ui' }, plugin: 'core' }
      return kernel.unit(unit, (ctx) => letIn(ctx, vouched))
    },
    sentence: (error, locale) => words.sentence(locale, error),
  })
  const { runUnit } = kernel
  const deliveries = new Deliveries({
    database,
    signals,
    clock,
    log,
    runUnit,
    faults,
  })
  loaded.attach(deliveries)
  const jobs = new Jobs({
    database,
    clock,
    log,
    runUnit,
    faults,
    ...options.pace,
    ...(options.databaseUrl === undefined ? {} : { url: options.databaseUrl }),
  })
  loaded.attach(jobs)
  jobs.register(indexJobKind, indexJob({ database, loaded, log }))
  jobs.register(scanKind, runScan)
  jobs.register(replayKind, runReplay)
  jobs.register(retentionKind, forgetEvents)
  registerPrivacyJobs(jobs, () => keys)
  jobs.register(orphanScanKind, scanOrphans)
  jobs.register(demoRemovalKind, removeDemo({ database, words }))
  jobs.register(sideWordsKind, refreshSideWords)
  const live = new LiveStream({ database, signals, catalog: (workspace) => fields.lastKnown(workspace), clock, log })
  const processes = new Processes({ database, generation, log })
  const operations = new Operations({ database, processes })
  const toggle = new Toggle(kernel, operations)
  const installer = new Installer({
    database,
    loaded,
    store,
    signals,
    operations,
    incidents,
    clock,
    safeMode: options.safeMode === true,
    deployment: new Map(ofDeployment.map((source) => [source.id, source])),
    removed: new Set(ofDeployment.map(({ id }) => id).filter((id) => removed.has(id))),
  })
  const uninstaller = new Uninstaller({ kernel, jobs, toggle, operations, processes, installer })
  const revival = new Revival(kernel, operations, { sources, migrates: options.migrate !== false })
  if (!options.safeMode) {
    generation.attach(() => installer.follow())
    // Not waited for: what hangs as it loads must not keep this process behind.
    generation.attach(async () => {
      void revival
        .follow()
        .catch((error: unknown) => log.error({ err: error }, 'what runs elsewhere could not be read'))
    })
  }
  const turnover = new Turnover(kernel, toggle)
  loaded.attach(turnover)
  generation.attach(async () => {
    void turnover.takeOver()
  })
  const ledger = new LedgerSealer({ database, clock, log })
  const host = createHost({
    kernel,
    identity,
    live,
    toggle,
    revival,
    ledger,
    ui: storeUi(staticUi(options.ui?.folder ?? new URL('absent/', import.meta.url)), {
      database,
      store,
      clock,
      running: (id) => installer.running(id),
    }),
    installer,
    uninstaller,
    imports: { jobs },
    ...(testClock ? { testClock } : {}),
    ...(options.metricsToken === undefined ? {} : { metricsToken: options.metricsToken }),
  })
  loaded.attach(host)
  const misdeclared = settle(loaded, plugins)
  await keepPlugins(database, { loaded, faults: new Map([...unloaded, ...misdeclared]), incidents, clock })
  await keepSubscriptions(database.owner, loaded.set.plugins)
  // Last, when all is in its place: whoever keeps something of plugins that are on looks again.
  loaded.attach({ prepare: () => () => signals.here({ kind: 'plugins' }) })
  let started = false
  let sweeping: NodeJS.Timeout | undefined
  // Not waited for: nobody misses what is still there. By it each process also says which folders it uses.
  const sweepFolders = () => {
    installer
      .sweepFolders()
      .catch((error: unknown) => log.error({ err: error }, 'code of old versions could not be swept'))
  }
  return {
    fetch: async (request, env) => host.fetch(request, env),
    get routes() {
      return host.routes()
    },
    kernel,
    identity,
    deliveries,
    jobs,
    toggle,
    revival,
    installer,
    uninstaller,
    ledger,
    async start() {
      started = true
      testClock?.start()
      await signals.start()
      await generation.start()
      await processes.register()
      await dismissUnwell(kernel)
      deliveries.start()
      await jobs.start()
      live.start()
      ledger.start()
      sweepFolders()
      sweeping = setInterval(sweepFolders, sweepEvery)
      sweeping.unref()
    },
    endStreams: () => live.stop(),
    async stop() {
      testClock?.stop()
      identity.close()
      fields.close()
      authorities.close()
      enablement.stop()
      generation.stop()
      turnover.stop()
      clearInterval(sweeping)
      if (started) {
        live.stop()
        await ledger.stop()
        await jobs.stop()
        await deliveries.stop()
        await signals.stop()
      }
      kernel.interrupt()
      await scopes.stop()
      await processes.stop()
      await loaded.set.orm.close(true)
    },
    async fillWithDemo(workspace) {
      const on = await enablement.in(workspace.id)
      for (const plugin of loaded.set.plugins) {
        if (on.has(plugin.id)) await fillWithDemo(kernel, workspace.id, plugin)
      }
      await sql`update core.workspace set demo = true where id = ${workspace.id}::uuid`.execute(database.owner)
    },
  }
}

const sweepEvery = 3_600_000

/** Whoever made an archive: right where nobody but the operator uploads. */
const anybody = { required: false, signers: new Map<string, string>() }

function existing(catalog: Resources, on: ReadonlySet<string>, id: string) {
  const resource = catalog.get(id)
  return resource && on.has(resource.plugin) ? resource : undefined
}

function wordsOf(screens: readonly { readonly owner: string; readonly folder: URL }[]): Words {
  const words = new Words()
  words.add('core', new URL('./i18n/', import.meta.url))
  words.add('core', new URL('./identity/i18n/', import.meta.url))
  words.add('core', new URL('./jobs/i18n/', import.meta.url))
  words.add('core', new URL('./records/fields/i18n/', import.meta.url))
  words.add('core', new URL('./privacy/i18n/', import.meta.url))
  for (const { owner, folder } of screens) words.add(owner, folder)
  return words
}
