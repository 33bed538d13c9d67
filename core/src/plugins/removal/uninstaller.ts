import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Locale } from '../../actor.ts'
import type { Sql } from '../../database/database.ts'
import { isDatabaseError } from '../../database/database-error.ts'
import { SocleError } from '../../errors.ts'
import { Pieces, readPieces } from '../../files/pieces.ts'
import { jobInterrupted } from '../../jobs/errors.ts'
import type { Jobs } from '../../jobs/index.ts'
import type { Job, JobTools } from '../../jobs/job.ts'
import type { Kernel } from '../../kernel.ts'
import { indexJobKind } from '../../records/fields/index-job.ts'
import type { PluginDefinition } from '../define-plugin.ts'
import { installedDependents } from '../dependents.ts'
import { operationLost, pluginAsleep, pluginBusy, pluginHasDependents, pluginUnknown } from '../errors.ts'
import { raiseGeneration } from '../generation.ts'
import { detailOf } from '../incidents.ts'
import { busy, type Held, type OperationKind, type Operations } from '../operations.ts'
import type { Processes } from '../processes.ts'
import type { Administrator, Installer } from '../store/installer.ts'
import { keepPluginEntry, uuidOf } from '../toggle-ledger.ts'
import type { Toggle } from '../toggle.ts'
import { readArchiveFile, type About, type Checksums } from './archive-file.ts'
import { asOwnerIn, everyWorkspace, viewing } from './as-owner.ts'
import { beginRemoval, carryOut, decide, leave, standingOf, type Removal } from './carry-out.ts'
import { clearPlaces, clearPointers, clearTables, type Clearing } from './clear.ts'
import {
  archiveNotFound,
  archiveOfElsewhere,
  archiveOfOther,
  archiveOfOtherVersion,
  confirmationDiffers,
  pluginStillOn,
  removalFailed,
  uninstallTimedOut,
} from './errors.ts'
import { giveGrants, type GrantLine, sidesByTables, type SideField } from './grants.ts'
import { clearedBy, type ClearMode, type UninstallMode } from './places.ts'
import { sizesOf, type Sizes } from './preview.ts'
import { dropArchive, putAway } from './put-away.ts'
import { demandEmpty, demandSameMigrations, restoreRows } from './restore.ts'
import { tablesOf } from './tables.ts'
import { keepSent, readSent, type SentArchive } from './take-in.ts'

export const uninstallKind = 'core.uninstall'
export const clearKind = 'core.plugin-clear'
export const restoreKind = 'core.plugin-restore'

const tellSeconds = 30
const listedArchives = 200
/** PostgreSQL, appendix A. */
const undefinedTable = '42P01'
/** Longest that a killed process's hold on a plugin is waited for. */
const takeOverSeconds = 60

export interface UninstallRequest {
  readonly mode: UninstallMode
  /** The plugin's id, typed; a purge asks for it. */
  readonly confirm?: string | undefined
  /** Takes what needs it too, in the same way. */
  readonly cascade?: boolean | undefined
}

export interface UninstallPreview extends Sizes {
  readonly plugin: string
  readonly title: string
  readonly version: string
  /** Workspaces in which it is on. */
  readonly workspaces: number
  /** What needs it, in the order in which it goes. */
  readonly dependents: readonly { readonly id: string; readonly title: string }[]
}

/** An archive as administrators see it. */
export interface ArchiveEntry {
  readonly id: string
  readonly plugin: string
  readonly title: string
  readonly version: string
  readonly whole: boolean
  readonly rows: number
  /** Those of its own tables among them; the others are what the core keeps with its records. */
  readonly own: number
  readonly size: number
  readonly sha256: string
  /** By table. */
  readonly checksums: Checksums
  readonly at: string
  readonly restoredAt: string | null
  /** Version that is installed now; null where it is not. */
  readonly installed: string | null
}

interface UninstallPayload {
  readonly mode: UninstallMode
  /** Those that go, dependents first; of a job that is run again those that have not gone. */
  readonly plugins: readonly string[]
}
interface ClearPayload {
  readonly plugin: string
  readonly mode: ClearMode
}
interface RestorePayload {
  readonly plugin: string
  readonly archive: string
}

export interface UninstallerParts {
  readonly kernel: Kernel
  readonly jobs: Jobs
  readonly toggle: Toggle
  readonly operations: Operations
  readonly processes: Processes
  readonly installer: Installer
}

/**
 * Takes plugins away: their code alone, with their data in an archive, or without a trace; and one workspace's data where the
 * plugin stays. Asking is checked at once, and what it takes is a job that another process ends when this one dies.
 */
export class Uninstaller {
  readonly #parts: UninstallerParts

  constructor(parts: UninstallerParts) {
    this.#parts = parts
    const { jobs } = parts
    jobs.register<UninstallPayload>(uninstallKind, (job, tools) => this.#uninstall(job, tools))
    jobs.register<ClearPayload>(clearKind, (job, tools) => this.#clear(job, tools))
    jobs.register<RestorePayload>(restoreKind, (job, tools) => this.#restore(job, tools))
  }

  get #owner(): Sql {
    return this.#parts.kernel.parts.database.owner
  }

  /** @throws `PLUGIN_UNKNOWN` */
  async preview(plugin: string, locale: Locale): Promise<UninstallPreview> {
    const { version } = await this.#installed(plugin)
    const workspaces = await everyWorkspace(this.#owner)
    const { enablement, loaded } = this.#parts.kernel.parts
    return {
      plugin,
      title: loaded.get(plugin)?.title[locale] ?? plugin,
      version,
      workspaces: (await enablement.workspacesOf(plugin)).length,
      dependents: (await installedDependents(this.#owner, plugin)).map(({ id, title }) => ({
        id,
        title: (loaded.get(id)?.title ?? title)?.[locale] ?? id,
      })),
      ...(await this.#sizes(plugin, { workspaces, whole: true })),
    }
  }

  /** What one workspace has of a plugin. @throws `PLUGIN_UNKNOWN` */
  async sizesHere(plugin: string, workspace: string): Promise<Sizes> {
    await this.#installed(plugin)
    return this.#sizes(plugin, { workspaces: [workspace], whole: false })
  }

  /** Counts again where tables went meanwhile: somebody takes the plugin away. */
  async #sizes(plugin: string, counting: Parameters<typeof sizesOf>[2]): Promise<Sizes> {
    try {
      return await sizesOf(this.#owner, plugin, counting)
    } catch (error) {
      if (!isDatabaseError(error) || error.code !== undefinedTable) throw error
      return sizesOf(this.#owner, plugin, counting)
    }
  }

  /**
   * Looks whether a plugin may go.
   *
   * @returns those that go, dependents first
   * @throws `PLUGIN_UNKNOWN`, `SAFE_MODE`, `PLUGIN_HAS_DEPENDENTS`, `CONFIRMATION_DIFFERS`, `PLUGIN_BUSY`
   */
  async demandRemovable(
    plugin: string,
    workspace: string,
    { mode, confirm, cascade = false }: UninstallRequest,
  ): Promise<readonly string[]> {
    const { removal } = await this.#installed(plugin)
    if (this.#parts.kernel.parts.safeMode) throw pluginAsleep({ plugin })
    if (mode === 'purge' && confirm !== plugin) throw confirmationDiffers({ plugin, typed: confirm ?? '' })
    if (removal && removal.mode !== mode) {
      const { isUnderWay, since } = await this.#askedFor(removal)
      if (removal.final || isUnderWay)
        throw await busy(this.#owner, [plugin], { workspace, otherwise: { operation: 'uninstall', since } })
    }
    const dependents = (await installedDependents(this.#owner, plugin)).map(({ id }) => id)
    if (dependents.length > 0 && !cascade)
      throw pluginHasDependents({ plugin, dependents: dependents.join(', ') }, { dependents })
    await this.#demandIdle(plugin, workspace)
    return [...dependents, plugin]
  }

  /** @throws `PLUGIN_UNKNOWN`, `PLUGIN_STILL_ON`, `CONFIRMATION_DIFFERS`, `PLUGIN_BUSY` */
  async demandClearable(
    plugin: string,
    workspace: string,
    { mode, confirm }: { readonly mode: ClearMode; readonly confirm?: string | undefined },
  ): Promise<void> {
    await this.#installed(plugin)
    if (mode === 'purge' && confirm !== plugin) throw confirmationDiffers({ plugin, typed: confirm ?? '' })
    await this.#demandOff(plugin, workspace)
    await this.#demandIdle(plugin, workspace)
  }

  /** @throws `PLUGIN_UNKNOWN`, `ARCHIVE_NOT_FOUND`, `ARCHIVE_OF_OTHER`, `ARCHIVE_OF_OTHER_VERSION`, `PLUGIN_STILL_ON`, `PLUGIN_BUSY` */
  async demandRestorable(plugin: string, workspace: string, archive: string): Promise<void> {
    const found = await this.archive(workspace, archive)
    if (found.plugin !== plugin) throw archiveOfOther({ plugin, of: found.plugin })
    await this.#demandFits(plugin, found, workspace)
    await this.#demandIdle(plugin, workspace)
  }

  /** Archives in a workspace's care, the newest first; those beyond the newest two hundred are reached by deleting some. */
  async archives(workspace: string, locale: Locale): Promise<readonly ArchiveEntry[]> {
    const { rows } = await sql<Omit<ArchiveEntry, 'title'> & { about: About }>`
      ${archiveColumns} where a.workspace = ${workspace}::uuid and a.verified_at is not null
      order by a.at desc, a.id desc limit ${listedArchives}`.execute(this.#owner)
    return rows.map(({ about, ...row }) => ({ ...row, title: about.title[locale] }))
  }

  /** @throws `ARCHIVE_NOT_FOUND` for those of others too */
  async archive(workspace: string, id: string): Promise<Omit<ArchiveEntry, 'title'>> {
    const { rows } = await sql<Omit<ArchiveEntry, 'title'>>`
      ${archiveColumns} where a.workspace = ${workspace}::uuid and a.id = ${id}::uuid and a.verified_at is not null`.execute(
      this.#owner,
    )
    if (!rows[0]) throw archiveNotFound({ id })
    return rows[0]
  }

  /** @throws `ARCHIVE_NOT_FOUND` */
  async removeArchive(administrator: Administrator, id: string): Promise<void> {
    const { plugin, sha256 } = await this.archive(administrator.workspace, id)
    await dropArchive(this.#owner, administrator.workspace, id)
    await this.#keepEntry(administrator, plugin, { archive: [sha256, null] })
  }

  /**
   * An archive whose file somebody takes along: it holds what no mask hides, so the audit says who.
   *
   * @throws `ARCHIVE_NOT_FOUND`
   */
  async takeArchive(administrator: Administrator, id: string): Promise<Omit<ArchiveEntry, 'title'>> {
    const archive = await this.archive(administrator.workspace, id)
    await this.#keepEntry(administrator, archive.plugin, { downloaded: [null, archive.sha256] })
    return archive
  }

  /**
   * Takes in the file of an archive that was made here or elsewhere, to be restored like any other. The same file twice is one.
   * All of it is kept or nothing: whoever dies on the way leaves no row and no piece.
   *
   * @param path - of the file on this machine
   * @param demandGrants - is asked where it holds rights, which only who may give them takes in
   * @throws `ARCHIVE_FORMAT_UNKNOWN`, `ARCHIVE_UNREADABLE`, `ARCHIVE_OVERSTEPS` (422), `INSTALLED_ELSEWHERE` (403),
   *   `ARCHIVE_OF_ELSEWHERE`, `ARCHIVE_OF_OTHER_VERSION`, `ARCHIVE_UNFIT`, `DATA_PRESENT` (409)
   */
  async takeIn(
    administrator: Administrator,
    path: string,
    { demandGrants, locale }: { readonly demandGrants: () => void; readonly locale: Locale },
  ): Promise<ArchiveEntry> {
    const { workspace, user } = administrator
    const sent = await readSent(path)
    const { plugin, about } = sent.head
    if (sent.head.workspace === null) await this.#parts.installer.demandHome(workspace)
    if (sent.rest.grants.length > 0) demandGrants()
    await this.#demandTakable(workspace, sent)
    const at = this.#parts.kernel.parts.clock.now()
    const id = await this.#owner.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`${workspace} ${sent.sha256}`}, 2))`.execute(tx)
      const { rows } = await sql<{ id: string }>`
        select id from core.plugin_archive
        where workspace = ${workspace}::uuid and plugin = ${plugin} and sha256 = ${sent.sha256} and verified_at is not null`.execute(
        tx,
      )
      if (rows[0]) return rows[0].id
      const made = uuidv7()
      await keepSent(tx, sent, { id: made, workspace, by: user, at })
      await keepPluginEntry(tx, { workspace, plugin, fields: { uploaded: [null, sent.sha256] }, by: user, at })
      return made
    })
    return { ...(await this.archive(workspace, id)), title: about.title[locale] }
  }

  /** Whether an archive that was sent can go back into the tables that are here. */
  async #demandTakable(workspace: string, { head, workspaces }: SentArchive): Promise<void> {
    const { plugin, version } = head
    const here = await everyWorkspace(this.#owner)
    const found = here.filter((id) => workspaces.has(id))
    const isOfHere = head.workspace === null ? found.length > 0 || workspaces.size === 0 : head.workspace === workspace
    if (!isOfHere) throw archiveOfElsewhere({ plugin })
    const installed = await this.#parts.installer.installed(plugin)
    const isThere = installed
      ? installed.version === version
      : await this.#parts.installer.mayReinstall(plugin, version)
    if (!isThere) throw archiveOfOtherVersion({ plugin, version, installed: installed?.version ?? 'none' })
    if (installed) await demandSameMigrations(this.#owner, head)
    const tables = await tablesOf(this.#owner, plugin)
    await this.#owner.transaction().execute((tx) => demandEmpty(tx, plugin, tables, found))
  }

  async #keepEntry(
    { workspace, user }: Administrator,
    plugin: string,
    fields: Readonly<Record<string, readonly [unknown, unknown]>>,
  ): Promise<void> {
    const at = this.#parts.kernel.parts.clock.now()
    await this.#owner.transaction().execute((tx) => keepPluginEntry(tx, { workspace, plugin, fields, by: user, at }))
  }

  async #installed(plugin: string): Promise<{ version: string; removal: Removal | null }> {
    const { rows } = await sql<{ version: string; removal: Removal | null }>`
      select version, removal from core.plugin where id = ${plugin} and id <> 'core' and state <> 'removed'`.execute(
      this.#owner,
    )
    if (!rows[0]) throw pluginUnknown({ plugin })
    return rows[0]
  }

  /** Whether somebody is at a removal that was begun, or will be. One that was cancelled while nobody was is asked for anew. */
  async #askedFor({ job }: Removal): Promise<{ readonly isUnderWay: boolean; readonly since: string }> {
    const { rows } = await sql<{ isUnderWay: boolean; since: string }>`
      select state in ('queued', 'running', 'paused') as "isUnderWay", created_at as since from core.job where id = ${job}::uuid`.execute(
      this.#owner,
    )
    return rows[0] ?? { isUnderWay: false, since: '' }
  }

  async #demandOff(plugin: string, workspace: string | undefined): Promise<void> {
    const { rows } = await sql`
      select from core.plugin_workspace where plugin = ${plugin} and state <> 'disabled' and state <> 'quarantined'
        ${workspace === undefined ? sql`` : sql`and workspace = ${workspace}::uuid`} limit 1`.execute(this.#owner)
    if (rows.length > 0) throw pluginStillOn({ plugin })
  }

  /** @throws `PLUGIN_BUSY`; whoever takes the plugin meanwhile is met by the job */
  async #demandIdle(plugin: string, workspace: string): Promise<void> {
    const { rows } = await sql`
      select from core.plugin_operation o join core.process p on p.id = o.process
      where o.plugin = ${plugin} and p.seen_at > now() - interval '30 seconds'
        and not exists (select from core.plugin c where c.id = o.plugin and c.removal is not null)`.execute(this.#owner)
    if (rows.length > 0) throw await busy(this.#owner, [plugin], { workspace })
  }

  /** Holds the plugins while a job works on them; that of a killed process is waited for. */
  async #holding<T>(
    { id, workspace, actor }: Pick<Job, 'id' | 'workspace' | 'actor'>,
    operation: OperationKind,
    plugins: readonly string[],
    work: (held: Held) => Promise<T>,
  ): Promise<T> {
    const request = { operation, plugins, workspace, by: actor?.type === 'user' ? actor.id : undefined }
    const until = performance.now() + takeOverSeconds * 1_000
    for (;;) {
      try {
        return await this.#parts.operations.run(request, work)
      } catch (error) {
        const isHeld = error instanceof SocleError && error.code === pluginBusy.code
        if (!isHeld || performance.now() > until || !(await this.#isResumed(id))) throw error
        await pause(1_000)
      }
    }
  }

  /** Whether a job was begun before, by a process that is no more. */
  async #isResumed(job: string): Promise<boolean> {
    const { rows } = await sql<{ attempts: number }>`
      select attempts from core.job where id = ${job}::uuid`.execute(this.#owner)
    return (rows[0]?.attempts ?? 0) > 1
  }

  async #uninstall(job: Job<UninstallPayload>, tools: JobTools): Promise<unknown> {
    const { plugins, mode } = job.payload
    const away: { readonly plugin: string; readonly removal: Removal }[] = []
    const troubles: string[] = []
    try {
      if (plugins.length > 0)
        await this.#holding(job, 'uninstall', plugins, async (held) => {
          for (const [nth, plugin] of plugins.entries()) {
            const progress = progressOf(tools, { from: nth * 100, of: plugins.length * 100 })
            troubles.push(...(await this.#remove({ job, held, plugin, progress, away })))
          }
        })
    } finally {
      // Outside, for switching a plugin on holds it too.
      for (const { plugin, removal } of away) await this.#switchBack(plugin, removal)
    }
    await this.#parts.installer.sweep()
    return { mode, archives: mode === 'archive' ? plugins.map((plugin) => archiveId(job.id, plugin)) : [], troubles }
  }

  async #remove({
    job,
    held,
    plugin,
    progress,
    away,
  }: {
    readonly job: Job<UninstallPayload>
    readonly held: Held
    readonly plugin: string
    readonly progress: Progress
    readonly away: { readonly plugin: string; readonly removal: Removal }[]
  }): Promise<readonly string[]> {
    const { kernel, jobs } = this.#parts
    const { clock, signals } = kernel.parts
    const by = job.actor?.type === 'user' ? job.actor.id : undefined
    let removal = await this.#begin(plugin, job)
    if (!removal) return []
    if (!removal.final) {
      try {
        removal = await this.#takeOut({ job, held, plugin, progress, removal, by })
      } catch (error) {
        if (isLost(error) || (isInterruption(error) && !(await this.#isCancelled(job.id)))) throw error
        await dropArchive(this.#owner, job.workspace, archiveId(job.id, plugin))
        await this.#giveBack(plugin)
        away.push({ plugin, removal })
        if (isInterruption(error) || (error instanceof SocleError && error.status < 500)) throw error
        kernel.parts.log.error({ err: error, plugin }, 'a plugin could not be removed')
        throw removalFailed({ plugin, reason: detailOf(error) })
      }
    }
    await carryOut(
      { owner: this.#owner, clock },
      {
        plugin,
        removal,
        workspace: job.workspace,
        by,
        step: () => progress.whatever(80),
        keep: (tx) => held.keep(tx),
      },
    )
    await jobs.forget(plugin)
    await this.#everybodyFollows()
    signals.send({ kind: 'permissions' })
    await progress.whatever(100)
    return removal.troubles
  }

  async #begin(plugin: string, { id, payload }: Job<UninstallPayload>): Promise<Removal | undefined> {
    const { loaded, catalog } = this.#parts.kernel.parts
    const isLoaded = loaded.get(plugin) !== undefined
    const declared = catalog.whole
      .all()
      .flatMap((resource) =>
        resource.sides
          .filter((side) => side.plugin === plugin)
          .flatMap(({ fields }) => fields.map(({ name }): SideField => ({ resource: resource.id, field: name }))),
      )
    const sides = isLoaded ? declared : await sidesByTables(this.#owner, plugin)
    return beginRemoval(this.#owner, plugin, { job: id, mode: payload.mode, sides, told: !isLoaded })
  }

  /** Everything until it cannot be taken back: off everywhere, out of what runs, its data put away. */
  async #takeOut({
    job,
    held,
    plugin,
    progress,
    removal,
    by,
  }: {
    readonly job: Job<UninstallPayload>
    readonly held: Held
    readonly plugin: string
    readonly progress: Progress
    readonly removal: Removal
    readonly by: string | undefined
  }): Promise<Removal> {
    const { kernel, toggle } = this.#parts
    const { database, clock, loaded } = kernel.parts
    const { mode } = job.payload
    await progress.at(5)
    await toggle.disableEverywhere({ workspace: job.workspace, by }, plugin, held)
    await progress.at(15)
    const troubles = removal.told ? removal.troubles : await this.#tell(plugin, mode)
    await this.#owner.transaction().execute(async (tx) => {
      await held.keep(tx)
      await leave(tx, plugin, { about: aboutOf(loaded.get(plugin)), troubles })
    })
    await this.#everybodyFollows()
    await progress.at(30)
    if (mode === 'archive') {
      const { version, about } = await standingOf(this.#owner, plugin)
      await putAway(
        { database, clock },
        {
          id: archiveId(job.id, plugin),
          workspace: job.workspace,
          plugin,
          version,
          about,
          whole: true,
          sides: removal.sides,
          by,
          // On the one connection of an embedded database nobody else is heard meanwhile.
          ...(database.kind === 'postgres' ? { onRows: () => progress.at(40) } : {}),
        },
      )
    }
    await progress.at(60)
    return this.#owner.transaction().execute(async (tx) => {
      await held.keep(tx)
      return decide(tx, plugin)
    })
  }

  /** Lets it take leave in each workspace that ever had it on. What it says against it is told, and keeps nothing. */
  async #tell(plugin: string, mode: UninstallMode): Promise<readonly string[]> {
    const { kernel } = this.#parts
    const { onUninstall } = kernel.parts.loaded.get(plugin)?.lifecycle ?? {}
    if (!onUninstall) return []
    const { rows } = await sql<{ workspace: string }>`
      select workspace from core.plugin_workspace where plugin = ${plugin} order by workspace`.execute(this.#owner)
    const troubles = new Set<string>()
    for (const { workspace } of rows) {
      const limit = { seconds: tellSeconds, late: uninstallTimedOut }
      const unit = { workspace, plugin, cause: { origin: 'plugin' }, own: true, limit }
      try {
        await kernel.runUnit(unit, (ctx) => onUninstall(ctx, mode))
      } catch (error) {
        await kernel.parts.incidents.note({ workspace, plugin, kind: 'toggle', error })
        troubles.add(detailOf(error))
      }
    }
    return [...troubles]
  }

  /** Every process of the installation has seen how plugins stand now; one that does not answer is taken out of service anyway. */
  async #everybodyFollows(): Promise<void> {
    const { kernel, processes } = this.#parts
    const { generation, signals } = kernel.parts
    await generation.follow()
    signals.send({ kind: 'plugins' })
    await processes.followed()
  }

  /** It stands as before, off; `#switchBack` switches it on where it was. */
  async #giveBack(plugin: string): Promise<void> {
    await this.#owner.transaction().execute(async (tx) => {
      await sql`
        update core.plugin set state = removal ->> 'was', removal = null where id = ${plugin} and removal is not null`.execute(
        tx,
      )
      await raiseGeneration(tx)
    })
    await this.#everybodyFollows()
  }

  async #switchBack(plugin: string, { on }: Removal): Promise<void> {
    const { kernel, toggle } = this.#parts
    for (const id of on) {
      const workspace = await kernel.workspace(id)
      try {
        if (workspace) await toggle.enable(workspace, plugin, undefined)
      } catch (error) {
        // Its card says that it is off, and the incident why.
        kernel.parts.log.warn({ err: error, plugin, workspace: id }, 'a plugin could not be switched on again')
      }
    }
  }

  async #isCancelled(job: string): Promise<boolean> {
    const { rows } = await sql`select from core.job where id = ${job}::uuid and state = 'cancelled'`.execute(
      this.#owner,
    )
    return rows.length > 0
  }

  async #clear(job: Job<ClearPayload>, tools: JobTools): Promise<unknown> {
    const { kernel } = this.#parts
    const { database, clock, signals, loaded } = kernel.parts
    const { workspace, payload } = job
    const { plugin, mode } = payload
    const by = job.actor?.type === 'user' ? job.actor.id : undefined
    const progress = progressOf(tools, { from: 0, of: 100 })
    const id = await this.#holding(job, 'clear', [plugin], async (held) => {
      const { version, about } = await standingOf(this.#owner, plugin)
      await this.#demandOff(plugin, workspace)
      const id = archiveId(job.id, `${plugin} ${await this.#switchedAt(plugin, workspace)}`)
      await progress.at(5)
      if (mode === 'archive')
        await putAway(
          { database, clock },
          {
            id,
            workspace,
            plugin,
            version,
            about: aboutOf(loaded.get(plugin)) ?? about,
            whole: false,
            sides: [],
            by,
            ...(database.kind === 'postgres' ? { onRows: () => progress.at(20) } : {}),
          },
        )
      await progress.at(40)
      if (mode === 'purge') await clearPointers(this.#owner, plugin, [workspace])
      const clearing: Clearing = { keep: (tx) => held.keep(tx), step: () => progress.whatever(60) }
      await clearTables(this.#owner, plugin, workspace, clearing)
      await clearPlaces(this.#owner, plugin, { ...clearing, places: clearedBy(mode), workspaces: [workspace] })
      await this.#owner.transaction().execute(async (tx) => {
        await held.keep(tx)
        await keepPluginEntry(tx, { workspace, plugin, fields: { data: ['kept', mode] }, by, at: clock.now() })
      })
      return id
    })
    signals.send({ kind: 'plugins' })
    await progress.whatever(100)
    return { mode, archives: mode === 'archive' ? [id] : [] }
  }

  /** What an earlier run of a job has put away lacks what was written after it, if the plugin was on in between. */
  async #switchedAt(plugin: string, workspace: string): Promise<string> {
    const { rows } = await sql<{ since: string }>`
      select since::text as since from core.plugin_workspace where plugin = ${plugin} and workspace = ${workspace}::uuid`.execute(
      this.#owner,
    )
    return rows[0]?.since ?? ''
  }

  async #restore(job: Job<RestorePayload>, tools: JobTools): Promise<unknown> {
    const { kernel } = this.#parts
    const { database, clock, signals } = kernel.parts
    const { workspace, payload } = job
    const { plugin, archive } = payload
    const by = job.actor?.type === 'user' ? job.actor.id : undefined
    const progress = progressOf(tools, { from: 0, of: 100 })
    return this.#holding(job, 'restore', [plugin], async (held) => {
      const found = await this.archive(workspace, archive)
      const putBack = async () => {
        await this.#demandFits(plugin, found, workspace)
        await progress.at(5)
        return this.#owner.transaction().execute(async (tx) => {
          await held.keep(tx)
          await viewing(tx, workspace)
          const { rest, ...counts } = await restoreRows(tx, readPieces(tx, workspace, archive), {
            plugin,
            ...(database.kind === 'postgres' ? { onRows: () => progress.at(30) } : {}),
          })
          const at = clock.now()
          await sql`
            update core.plugin_archive set restored_at = ${at.toISOString()}::timestamptz, restored_by = ${job.id}::uuid
            where id = ${archive}::uuid`.execute(tx)
          await keepPluginEntry(tx, { workspace, plugin, fields: { restored: [null, found.sha256] }, by, at })
          return { ...counts, grants: rest.grants }
        })
      }
      // A process may have died when the rows were back, and the rights were not yet.
      const restored = (await this.#isRestoredBy(archive, job.id))
        ? { rows: found.rows, left: 0, grants: await this.#grantsIn(workspace, archive) }
        : await putBack()
      await giveGrants(this.#owner, restored.grants, clock.now())
      await this.#buildIndexes(plugin, found.whole ? await everyWorkspace(this.#owner) : [workspace])
      signals.send({ kind: 'plugins' })
      signals.send({ kind: 'permissions' })
      await progress.whatever(100)
      return { rows: restored.rows, left: restored.left }
    })
  }

  async #grantsIn(workspace: string, archive: string): Promise<readonly GrantLine[]> {
    let grants: readonly GrantLine[] = []
    const content = new Pieces(this.#parts.kernel.parts).read(workspace, archive)
    await readArchiveFile(content, { end: (rest) => (grants = rest.grants) })
    return grants
  }

  async #isRestoredBy(archive: string, job: string): Promise<boolean> {
    const { rows } = await sql`
      select from core.plugin_archive where id = ${archive}::uuid and restored_by = ${job}::uuid`.execute(this.#owner)
    return rows.length > 0
  }

  /** Asked again when the job runs: it may have changed since. */
  async #demandFits(
    plugin: string,
    { version, whole }: Pick<ArchiveEntry, 'version' | 'whole'>,
    workspace: string,
  ): Promise<void> {
    const installed = await this.#installed(plugin)
    if (installed.version !== version)
      throw archiveOfOtherVersion({ plugin, version, installed: installed.version || 'none' })
    await this.#demandOff(plugin, whole ? undefined : workspace)
  }

  /** Own fields come back with their definitions; their indexes went with the tables. */
  async #buildIndexes(plugin: string, workspaces: readonly string[]): Promise<void> {
    for (const workspace of workspaces) {
      const { rows } = await asOwnerIn(this.#owner, workspace, (tx) =>
        sql<{ id: string }>`
          select id from core.field where workspace = ${workspace}::uuid and starts_with(resource, ${`${plugin}.`})
            and deleted_at is null and (indexed or is_unique)`.execute(tx),
      )
      for (const { id } of rows)
        await this.#parts.jobs.enqueue({ workspace, kind: indexJobKind, key: id, payload: { field: id } })
    }
  }
}

const archiveColumns = sql`
  select a.id, a.plugin, a.version, a.whole, a.rows::double precision as rows,
    (select coalesce(sum((t.value ->> 'rows')::bigint), 0) from jsonb_each(a.checksums) t
      where not starts_with(t.key, 'core.'))::double precision as own, a.size::double precision as size, a.sha256, a.checksums, a.at,
    a.restored_at as "restoredAt", a.about,
    (select p.version from core.plugin p where p.id = a.plugin and p.state not in ('removing', 'removed')) as installed
  from core.plugin_archive a`

/** The archive that a job makes of a plugin: a job that is run again finds it. */
function archiveId(job: string, plugin: string): string {
  return uuidOf(`${job} ${plugin}`)
}

function aboutOf(definition: PluginDefinition | undefined): About | undefined {
  if (!definition) return undefined
  const { title, summary, icon } = definition
  return { title, ...(summary ? { summary } : {}), ...(icon ? { icon } : {}) }
}

interface Progress {
  /** @throws `JOB_INTERRUPTED` */
  at(percent: number): Promise<void>
  /** Past what can be taken back: only a process that stops is obeyed, for another goes on. */
  whatever(percent: number): Promise<void>
}

function progressOf(
  { progress, signal }: JobTools,
  { from, of }: { readonly from: number; readonly of: number },
): Progress {
  const at = (percent: number) => progress(from + percent, of)
  return {
    at,
    async whatever(percent) {
      try {
        await at(percent)
      } catch (error) {
        if (!isInterruption(error)) throw error
        const { why } =
          (signal.reason ?? error) instanceof SocleError ? ((signal.reason ?? error) as SocleError).values : {}
        if (why === 'stopping') throw error
      }
    },
  }
}

function isInterruption(error: unknown): boolean {
  return error instanceof SocleError && error.code === jobInterrupted.code
}

function isLost(error: unknown): boolean {
  return error instanceof SocleError && error.code === operationLost.code
}
