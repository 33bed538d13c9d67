import { AsyncLocalStorage } from 'node:async_hooks'
import { sql } from 'kysely'
import type { PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.ts'
import type { Context } from '../context.ts'
import type { Database, Sql } from '../database/database.ts'
import { isDatabaseError } from '../database/database-error.ts'
import { Statistics } from '../database/statistics.ts'
import { SocleError } from '../errors.ts'
import type { RunUnit, Starter } from '../events/run-unit.ts'
import type { Authority } from '../permissions/authority.ts'
import { withToldRights } from '../permissions/told-rights.ts'
import type { FaultSink } from '../plugins/faults.ts'
import type { PluginHolder, PluginSet } from '../plugins/loaded-plugins.ts'
import { isPluginGone, pluginTimedOut } from '../plugins/errors.ts'
import type { UnitLimit } from '../unit-end.ts'
import { WhileAsked } from '../while-asked.ts'
import { makeBoss } from './boss.ts'
import { jobGaveUp, jobInterrupted } from './errors.ts'
import type { Job, JobFailing, JobFault, JobHandler, JobRequest, JobState, JobTools } from './job.ts'
import { makeDueJobs, schedulesOf, type NextTick, type Schedule } from './schedules.ts'

export interface JobsOptions {
  readonly database: Database
  /** Connection string of a server; an embedded database needs none. */
  readonly url?: string
  readonly clock: Clock
  readonly log: Logger
  readonly runUnit: RunUnit
  /** Hears how jobs end; nobody when absent. */
  readonly faults?: FaultSink
  /** Jobs of one kind at the same time in this process. */
  readonly concurrency?: number
  readonly pollMilliseconds?: number
  /** Seconds without a sign of life after which a job is started again elsewhere, 10 or more. */
  readonly recoverSeconds?: number
}

/** A job this process runs; `attempt` is its fence: a second run of the same job has the next number. */
interface Run {
  readonly job: Job
  readonly attempt: number
  readonly pauses: number
  readonly interrupt: AbortController
}

interface JobRow {
  readonly id: string
  readonly workspace: string
  readonly plugin: string
  readonly kind: string
  readonly payload: unknown
  readonly progress: number
  readonly total: number | null
  readonly actor: string | null
  readonly actorType: Starter['type']
  readonly attempts: number
  /** Times it was let go on after a pause: none of them was a failure. */
  readonly pauses: number
}

const maxAttempts = 5
// pg-boss must not end a long import by itself; its heartbeat tells whether the process lives.
const longestRunSeconds = 23 * 3_600
/** Work in the background does it piece by piece; nothing is kept of a piece that takes longer. */
const unitLimit: UnitLimit = { seconds: 900, late: pluginTimedOut }

/**
 * Work that takes longer than a request: imports, exports, what plugins do on a schedule.
 *
 * A job is a row of ours, written with the unit of work that asks for it, so it exists if and only if that commits, and
 * people can watch and cancel it. Workers hand queued rows to pg-boss, which runs each in one process at a time and
 * again when that process dies.
 */
export class Jobs implements PluginHolder {
  readonly #options: Required<Omit<JobsOptions, 'url' | 'faults'>> & Pick<JobsOptions, 'faults'>
  readonly #boss: PgBoss
  #schedules: readonly Schedule[] = []
  readonly #handlers = new Map<string, JobHandler>()
  readonly #failings = new Map<string, JobFailing>()
  readonly #runs = new Set<Run>()
  readonly #statistics: Statistics
  readonly #workers = new Map<string, readonly string[]>()
  // A commit's follow-up is not part of that commit's unit of work.
  readonly #outside = AsyncLocalStorage.snapshot()
  #timers: NodeJS.Timeout[] = []
  readonly #sweeping = new WhileAsked(() => this.#look())
  #started = false
  #stopping = false

  constructor(options: JobsOptions) {
    this.#options = { concurrency: 2, pollMilliseconds: 2_000, recoverSeconds: 30, ...options }
    const { url, database } = options
    this.#statistics = new Statistics(database.owner)
    this.#boss = makeBoss({
      database,
      recoverSeconds: this.#options.recoverSeconds,
      ...(url === undefined ? {} : { url }),
    })
  }

  /** The scheduled work of the loaded plugins; other kinds are told by `register`. */
  prepare({ plugins }: Pick<PluginSet, 'plugins'>): () => void {
    const schedules = schedulesOf(plugins)
    return () => {
      for (const { kind } of this.#schedules) if (!schedules.some((it) => it.kind === kind)) this.#leave(kind)
      this.#schedules = schedules
      for (const { kind, run } of schedules) {
        this.register(kind, async ({ progress: done }, { unit, progress }) => {
          // A process may have died after the work's commit and before the job's.
          if (done > 0) return
          await unit(async (ctx) => {
            await run(ctx)
            await progress(1, 1, ctx)
          })
        })
        if (this.#started && !this.#workers.has(kind)) void this.#work(kind)
      }
    }
  }

  /** What runs of a kind that is gone is interrupted, and waits for a process that knows it. */
  #leave(kind: string): void {
    this.#handlers.delete(kind)
    this.#workers.delete(kind)
    for (const { job, interrupt } of this.#runs)
      if (job.kind === kind) interrupt.abort(jobInterrupted({ id: job.id, why: 'plugin gone' }))
    if (this.#started)
      this.#boss
        .offWork(kind)
        .catch((error: unknown) => this.#options.log.error({ err: error, kind }, 'a kind of job could not be left'))
  }

  /** Says who does jobs of a kind, `<plugin>.<noun>`. Call it before `start`. */
  register<P>(kind: string, handler: JobHandler<P>, failing?: JobFailing<P>): void {
    if (failing) this.#failings.set(kind, failing as JobFailing)
    this.#handlers.set(kind, handler as JobHandler)
  }

  /** Takes away what is left of the queues of a plugin that is gone. */
  async forget(plugin: string): Promise<void> {
    if (!this.#started) return
    for (const { name } of await this.#boss.getQueues())
      if (name.startsWith(`${plugin}.`)) await this.#boss.deleteQueue(name)
  }

  /** Works from now on. A process that only asks for jobs need not start. */
  async start(): Promise<void> {
    const { log, pollMilliseconds } = this.#options
    this.#boss.on('error', (error) => log.error({ err: error }, 'pg-boss failed'))
    await this.#boss.start()
    for (const kind of this.#handlers.keys()) await this.#work(kind)
    this.#started = true
    const sweep = () => void this.#sweep()
    this.#timers = [setInterval(sweep, pollMilliseconds), setInterval(() => void this.#watch(), pollMilliseconds)]
    sweep()
  }

  /** Takes jobs of a kind that is registered, from now on. */
  async #work(kind: string): Promise<void> {
    const { log, database, concurrency, pollMilliseconds, recoverSeconds } = this.#options
    // Told at once, so that nobody asks for it twice.
    this.#workers.set(kind, [])
    try {
      await this.#boss.createQueue(kind, {
        retryLimit: 100,
        retryDelay: 5,
        retryBackoff: true,
        retryDelayMax: 300,
        expireInSeconds: longestRunSeconds,
        heartbeatSeconds: recoverSeconds,
        deleteAfterSeconds: 3_600,
        notify: database.kind === 'postgres',
      })
      const options = { localConcurrency: concurrency, pollingIntervalSeconds: pollMilliseconds / 1_000 }
      const worker = await this.#boss.work<{ job: string }>(kind, options, async ([ticket]) => {
        // pg-boss gives it again only when the process that ran it is dead.
        if (ticket) await this.#run(ticket.data.job, ['queued', 'running'])
      })
      this.#workers.set(kind, [worker])
    } catch (error) {
      this.#workers.delete(kind)
      log.error({ err: error, kind }, 'jobs of a kind could not be taken up')
    }
  }

  /** Interrupts what runs, which goes on in another process or after the next start. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const timer of this.#timers) clearInterval(timer)
    for (const run of this.#runs) run.interrupt.abort(jobInterrupted({ id: run.job.id, why: 'stopping' }))
    await this.#sweeping.going
    if (this.#started) await this.#boss.stop({ graceful: true, timeout: 10_000 })
  }

  /**
   * Asks for a job. With a `ctx` it is part of that unit of work: undone with it, started after its commit.
   *
   * @returns the job's id; that of the unfinished one when there is one of this kind and key
   */
  async enqueue(request: JobRequest, ctx?: Context): Promise<string> {
    const row = { ...request, actor: request.actor ?? starterOf(ctx), at: this.#now(), authority: ctx?.authority }
    const id = await (ctx
      ? insertJob(ctx.sql, row)
      : this.#options.database.transaction({ workspace: request.workspace, partner: '*' }, (tx) => insertJob(tx, row)))
    const wake = () => this.#outside(() => void this.#sweep())
    if (ctx) ctx.afterCommit(wake)
    else wake()
    return id
  }

  /** Makes what schedules ask for by the clock and runs all that is queued, here and now and without pg-boss. */
  async runUntilIdle(): Promise<void> {
    await this.#makeDue()
    for (;;) {
      const queued = await this.#queued()
      if (queued.length === 0) return
      // One that meets an error is queued again, and seen again by the next look; the last attempt fails it.
      for (const { id } of queued) await this.#run(id, ['queued']).catch(() => {})
    }
  }

  #now(): string {
    return this.#options.clock.now().toISOString()
  }

  readonly #nextTick: NextTick = (cron, zone, from) => this.#boss.previewSchedule(cron, { tz: zone, from, count: 1 })[0]

  async #makeDue(): Promise<void> {
    await makeDueJobs(this.#options.database.owner, this.#schedules, this.#options.clock.now(), this.#nextTick)
  }

  /** One look at schedules and queued rows; asked for during a look, it looks once more. */
  #sweep(): Promise<void> {
    if (!this.#started) return Promise.resolve()
    return this.#sweeping.ask()
  }

  async #look(): Promise<void> {
    if (this.#stopping) return
    try {
      await this.#makeDue()
      await this.#handOver()
    } catch (error) {
      // The next sweep finds the same rows.
      this.#options.log.error({ err: error }, 'jobs could not be looked for')
    }
  }

  async #handOver(): Promise<void> {
    for (const { id, kind, ticket } of await this.#queued()) {
      // The ticket is the id pg-boss knows it by: a crash between these two lines hands it over twice, as one.
      await this.#boss.send(kind, { job: id }, { id: ticket })
      await sql`update core.job set handed_at = ${this.#now()}::timestamptz where id = ${id}::uuid and ticket = ${ticket}::uuid`.execute(
        this.#options.database.owner,
      )
      for (const worker of this.#workers.get(kind) ?? []) this.#boss.notifyWorker(worker)
    }
  }

  /** Rows nobody has been handed, of kinds this process knows and plugins that are on. */
  async #queued(): Promise<readonly { id: string; kind: string; ticket: string }[]> {
    const { rows } = await sql<{ id: string; kind: string; ticket: string }>`
      select j.id, j.kind, j.ticket from core.job j
      where j.state = 'queued' and j.handed_at is null and j.kind = any(${[...this.#handlers.keys()]}::text[])
        and ${pluginIsOn}
      order by j.created_at, j.id limit 200`.execute(this.#options.database.owner)
    return rows
  }

  async #run(id: string, from: readonly JobState[]): Promise<void> {
    const row = await this.#claim(id, from)
    const handler = row && this.#handlers.get(row.kind)
    if (!row || !handler) return
    const { workspace, kind, payload, progress } = row
    const actor = row.actor === null ? undefined : { type: row.actorType, id: row.actor }
    const job = { id, workspace, kind, payload, progress, total: row.total ?? undefined, actor }
    const run: Run = { job, attempt: row.attempts, pauses: row.pauses, interrupt: new AbortController() }
    if (run.attempt - run.pauses > maxAttempts) {
      await this.#end(run, asError(jobGaveUp({ kind, attempts: maxAttempts }), id))
      return
    }
    this.#runs.add(run)
    try {
      const result = await handler(job as Job<never>, this.#tools(run, row.plugin))
      await this.#finish(run, 'done', { result: result ?? null })
      this.#options.faults?.worked({ workspace, plugin: row.plugin })
    } catch (error) {
      await this.#fail(run, error)
    } finally {
      this.#runs.delete(run)
    }
  }

  /** Takes the job; nothing when it is in no state to be taken from, or its plugin is off meanwhile. */
  async #claim(id: string, from: readonly JobState[]): Promise<JobRow | undefined> {
    const { rows } = await sql<JobRow & { on: boolean }>`
      update core.job j set
        state = case when ${pluginIsOn} then 'running' else 'queued' end,
        attempts = attempts + (${pluginIsOn})::integer,
        started_at = coalesce(started_at, ${this.#now()}::timestamptz),
        heartbeat_at = ${this.#now()}::timestamptz,
        ${newTicketUnless(pluginIsOn)}
      where id = ${id}::uuid and state = any(${[...from]}::text[])
      returning id, workspace, plugin, kind, payload, progress, total, actor, actor_type as "actorType", attempts, pauses, state = 'running' as on`.execute(
      this.#options.database.owner,
    )
    const [row] = rows
    return row?.on ? row : undefined
  }

  #tools({ job, attempt, interrupt }: Run, plugin: string): JobTools {
    const { runUnit, database } = this.#options
    const { id, workspace, kind, actor } = job
    const { signal } = interrupt
    return {
      signal,
      unit: (work, cause) => {
        signal.throwIfAborted()
        const why = { origin: 'job', reason: kind, ...cause }
        const request = { workspace, plugin, cause: why, signal, limit: unitLimit }
        return runUnit(actor === undefined ? request : { ...request, actor }, work)
      },
      progress: async (done, total, ctx) => {
        signal.throwIfAborted()
        const { rows } = await sql`
          update core.job set progress = coalesce(${done ?? null}::integer, progress), total = coalesce(${total ?? null}::integer, total), heartbeat_at = ${this.#now()}::timestamptz
          where id = ${id}::uuid and workspace = ${workspace}::uuid and attempts = ${attempt}::integer and state = 'running'
          returning id`.execute(ctx?.sql ?? database.owner)
        if (rows.length === 0) throw jobInterrupted({ id, why: 'cancelled' })
      },
    }
  }

  async #fail(run: Run, error: unknown): Promise<void> {
    const { job, attempt, pauses, interrupt } = run
    const refusal = error instanceof SocleError && error.status < 500
    if (interrupt.signal.aborted || isInterruption(error)) {
      // Cancelled, paused and taken-over jobs are past this statement's condition; the others wait to be handed over again.
      await this.#requeue(run)
      return
    }
    const [plugin = ''] = job.kind.split('.')
    const again = attempt - pauses > 1
    this.#options.faults?.failed({ kind: 'job', error, workspace: job.workspace, plugin, again })
    this.#options.log.warn({ err: error, job: job.id, kind: job.kind, attempt }, 'a job failed')
    if (refusal || attempt - pauses >= maxAttempts) {
      await this.#end(run, asError(error, job.id))
      return
    }
    await sql`update core.job set state = 'queued'
      where id = ${job.id}::uuid and attempts = ${attempt}::integer and state = 'running'`.execute(
      this.#options.database.owner,
    )
    // So that pg-boss tries it again after a while.
    throw error
  }

  /** Whoever the work was for is told first: what is shown of the job is then already shown of them. */
  async #end(run: Run, fault: JobFault): Promise<void> {
    const { job } = run
    const { id, kind, workspace } = job
    const failing = this.#failings.get(kind)
    const [plugin = ''] = kind.split('.')
    try {
      if (failing) {
        const why = { origin: 'job', reason: kind }
        await this.#options.runUnit({ workspace, plugin, cause: why, limit: unitLimit }, (ctx) =>
          failing(ctx, job as Job<never>, fault),
        )
      }
    } catch (error) {
      this.#options.log.error({ err: error, job: id, kind }, 'nobody could be told that a job failed')
    }
    await this.#finish(run, 'failed', { error: fault })
  }

  async #finish({ job, attempt }: Run, state: JobState, outcome: { result?: unknown; error?: unknown }): Promise<void> {
    await sql`update core.job set state = ${state}, finished_at = ${this.#now()}::timestamptz,
        result = ${json(outcome.result)}, error = ${json(outcome.error)}
      where id = ${job.id}::uuid and attempts = ${attempt}::integer and state = 'running'`.execute(
      this.#options.database.owner,
    )
  }

  async #requeue({ job, attempt }: Run): Promise<void> {
    await sql`update core.job set state = 'queued', attempts = attempts - 1, ticket = gen_random_uuid(), handed_at = null
      where id = ${job.id}::uuid and attempts = ${attempt}::integer and state = 'running'`.execute(
      this.#options.database.owner,
    )
  }

  /** Gives a sign of life for what runs here, learns what must stop, and has plans follow the tables that grow meanwhile. */
  async #watch(): Promise<void> {
    if (this.#runs.size === 0) return
    const runs = [...this.#runs]
    try {
      const { rows } = await sql<{ id: string; attempts: number; state: JobState; on: boolean }>`
        update core.job j set heartbeat_at = ${this.#now()}::timestamptz where id = any(${runs.map(({ job }) => job.id)}::uuid[])
        returning j.id, j.attempts, j.state, ${pluginIsOn} as on`.execute(this.#options.database.owner)
      const found = new Map(rows.map((row) => [row.id, row]))
      for (const { job, attempt, interrupt } of runs) {
        const row = found.get(job.id)
        const why =
          row?.state === 'cancelled' || row?.state === 'paused'
            ? row.state
            : row?.attempts !== attempt
              ? 'taken over'
              : row.on
                ? undefined
                : 'plugin disabled'
        if (why) interrupt.abort(jobInterrupted({ id: job.id, why }))
      }
      await this.#statistics.keepUp()
    } catch (error) {
      this.#options.log.error({ err: error }, 'running jobs could not be watched')
    }
  }
}

/** The job stopped, or its plugin went: no failure of the work. */
function isInterruption(error: unknown): boolean {
  return isPluginGone(error) || (error instanceof SocleError && error.code === jobInterrupted.code)
}

const pluginIsOn = sql<boolean>`(j.plugin = 'core' or exists (select from core.plugin_workspace p
  where p.workspace = j.workspace and p.plugin = j.plugin and p.state = 'enabled'))`

function newTicketUnless(condition: typeof pluginIsOn) {
  return sql`ticket = case when ${condition} then ticket else gen_random_uuid() end,
    handed_at = case when ${condition} then ${sql.ref('handed_at')} end`
}

function json(value: unknown) {
  return value === undefined ? sql`null` : sql`${JSON.stringify(value)}::jsonb`
}

/** What people are shown of a failure. Words that nobody wrote for them may quote values of whoever's: those are for the log. */
function asError(error: unknown, job: string): JobFault {
  if (error instanceof SocleError) return { code: error.code, detail: error.message }
  const what = isDatabaseError(error)
    ? 'The database refused a part of this work.'
    : 'This work met a fault of its own.'
  return { code: 'INTERNAL', detail: `${what} The log tells why, by the job’s id ${job}.` }
}

/** Whom a job will act for: the person or the program that asks. A plugin's own job acts for the plugin. */
function starterOf(ctx: Context | undefined): Starter | undefined {
  const { type, id } = ctx?.actor ?? {}
  return id !== undefined && (type === 'user' || type === 'key') ? { type, id } : undefined
}

/** Asks for a job within a unit of work, where its workers are not at hand: they find it within their next look. */
export async function requestJob(ctx: Context, request: Omit<JobRequest, 'workspace'>): Promise<string> {
  const actor = request.actor ?? starterOf(ctx)
  const { authority, clock, workspace } = ctx
  return insertJob(ctx.sql, { ...request, workspace: workspace.id, actor, at: clock.now().toISOString(), authority })
}

/**
 * Lets go of the key of a running job within its last unit of work: what is asked for from then on is a job of its own, not
 * one that is all but over.
 */
export async function giveUpKey(ctx: Context, { id }: Pick<Job, 'id'>): Promise<void> {
  await sql`update core.job set key = null where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(
    ctx.sql,
  )
}

async function insertJob(
  tx: Sql,
  request: JobRequest & { at: string; authority: Authority | undefined },
): Promise<string> {
  const { workspace, kind, payload = {}, key, actor, at, authority } = request
  const told = authority ? withToldRights(sql`'{}'::jsonb`, authority) : sql`'{}'::jsonb`
  const [plugin = ''] = kind.split('.')
  const { rows } = await sql<{ id: string }>`
    with made as (
      insert into core.job (id, workspace, plugin, kind, key, payload, actor, actor_type, created_at, told_under)
      values (${uuidv7()}::uuid, ${workspace}::uuid, ${plugin}, ${kind}, ${key ?? null}, ${JSON.stringify(payload)}::jsonb,
        ${actor?.id ?? null}::uuid, ${actor?.type ?? 'user'}, ${at}::timestamptz, ${told})
      on conflict (workspace, kind, key) where key is not null and state in ('queued', 'running', 'paused') do nothing
      returning id)
    select id from made union all
    select * from core.job_of_key(${kind}, ${key ?? null})
    limit 1`.execute(tx)
  const [job] = rows
  // Between the two halves the other one may have ended: then it is ours to make.
  return job ? job.id : insertJob(tx, request)
}
