import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Context } from '../src/context.ts'
import { defineError } from '../src/errors.ts'
import type { Starter } from '../src/events/run-unit.ts'
import type { JobTools } from '../src/jobs/job.ts'
import { Jobs, type JobsOptions } from '../src/jobs/jobs.ts'
import { jobRoutes } from '../src/jobs/routes.ts'
import { definePlugin } from '../src/plugins/define-plugin.ts'
import { pluginDisabled, pluginQuarantined, pluginReplaced } from '../src/plugins/errors.ts'
import { type Bench, kinds, openBench, ProbeClock } from './events-fixture.ts'

const fileUnreadable = defineError<{ file: string }>('FILE_UNREADABLE', 422, ({ file }) => `${file} cannot be read.`)
const patience = { timeout: 60_000, interval: 50 }

describe.each(kinds)('jobs on %s', (kind) => {
  let bench: Bench
  let url: string
  let close: () => Promise<void>
  let clock: ProbeClock
  const started = new Set<Jobs>()

  beforeAll(async () => {
    ;({ bench, url, close } = await openBench(kind, new ProbeClock('2026-03-02T09:00:00Z')))
    clock = bench.clock as ProbeClock
    await sql`create table public.line (job uuid, nth integer)`.execute(bench.database.owner)
    await sql`grant all on public.line to socle_app`.execute(bench.database.owner)
  })
  afterAll(() => close())
  beforeEach(async () => {
    bench.workspace = randomUUID()
    await bench.addWorkspace(bench.workspace)
    await bench.switchPlugin('enabled')
  })
  afterEach(async () => {
    for (const jobs of started) await jobs.stop()
    started.clear()
    await sql`delete from core.job`.execute(bench.database.owner)
  })

  const unit = () => ({ workspace: bench.workspace, plugin: 'probe', cause: { origin: 'system' } })

  function makeJobs(options: Partial<JobsOptions> = {}): Jobs {
    const { database, log, runUnit } = bench
    return new Jobs({
      database,
      log,
      runUnit,
      clock,
      pollMilliseconds: 500,
      ...(url === '' ? {} : { url }),
      ...options,
    })
  }

  async function start(jobs: Jobs): Promise<void> {
    started.add(jobs)
    await jobs.start()
  }

  const enqueue = (
    jobs: Jobs,
    request: { key?: string; payload?: Record<string, unknown>; actor?: Starter; kind?: string } = {},
  ) => jobs.enqueue({ workspace: bench.workspace, kind: 'probe.copy', ...request })

  interface Row {
    readonly state: string
    readonly progress: number
    readonly total: number | null
    readonly result: unknown
    readonly error: { code: string; detail: string } | null
    readonly attempts: number
  }

  async function row(id: string): Promise<Row | undefined> {
    const { rows } =
      await sql<Row>`select state, progress, total, result, error, attempts from core.job where id = ${id}::uuid`.execute(
        bench.database.owner,
      )
    return rows[0]
  }

  async function lines(id: string): Promise<readonly number[]> {
    const { rows } = await sql<{
      nth: number
    }>`select nth from public.line where job = ${id}::uuid order by nth`.execute(bench.database.owner)
    return rows.map(({ nth }) => nth)
  }

  /** Writes lines `progress + 1` to `to`, each in a unit of work of its own. */
  async function copy({ id, progress }: { id: string; progress: number }, tools: JobTools, to: number): Promise<void> {
    for (let nth = progress + 1; nth <= to; nth += 1) {
      await tools.unit(async (ctx) => {
        await sql`insert into public.line (job, nth) values (${id}::uuid, ${nth})`.execute(ctx.sql)
        await tools.progress(nth, to, ctx)
      })
    }
  }

  test('a job asked for in a unit of work that fails is never done', async () => {
    const jobs = makeJobs()
    jobs.register('probe.copy', async () => {})
    const failing = bench.runUnit(unit(), async (ctx) => {
      await jobs.enqueue({ workspace: bench.workspace, kind: 'probe.copy' }, ctx)
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    const { rows } = await sql`select from core.job where workspace = ${bench.workspace}::uuid`.execute(
      bench.database.owner,
    )
    expect(rows).toEqual([])
  })

  test('a worker does a job, shows how far it is and keeps its result', async () => {
    const jobs = makeJobs()
    jobs.register<{ to: number }>('probe.copy', async (job, tools) => {
      await copy(job, tools, job.payload.to)
      return { copied: job.payload.to }
    })
    await start(jobs)
    const id = await bench.runUnit(unit(), (ctx) =>
      jobs.enqueue({ workspace: bench.workspace, kind: 'probe.copy', payload: { to: 3 } }, ctx),
    )
    await expect
      .poll(() => row(id), patience)
      .toMatchObject({ state: 'done', progress: 3, total: 3, result: { copied: 3 }, attempts: 1 })
    expect(await lines(id)).toEqual([1, 2, 3])
  })

  test('a job asked for while no worker runs is done when one starts', async () => {
    const id = await enqueue(makeJobs())
    const jobs = makeJobs()
    jobs.register('probe.copy', async () => 'done')
    await start(jobs)
    await expect.poll(() => row(id), patience).toMatchObject({ state: 'done' })
  })

  test('a refusal fails a job at once, in its own words', async () => {
    const jobs = makeJobs()
    jobs.register('probe.copy', async () => {
      throw fileUnreadable({ file: 'contacts.csv' })
    })
    const id = await enqueue(jobs)
    await jobs.runUntilIdle()
    expect(await row(id)).toMatchObject({
      state: 'failed',
      attempts: 1,
      error: { code: 'FILE_UNREADABLE', detail: 'contacts.csv cannot be read.' },
    })
  })

  test('what the database says of a failure is for the log alone', async () => {
    const jobs = makeJobs()
    jobs.register('probe.copy', (_, tools) =>
      tools.unit(async (ctx) => {
        await sql`select ${'a secret of somebody'}::uuid`.execute(ctx.sql)
      }),
    )
    const id = await enqueue(jobs)
    await jobs.runUntilIdle()
    const failed = await row(id)
    expect(failed?.error).toMatchObject({ code: 'INTERNAL', detail: expect.stringContaining(id) })
    expect(failed?.error?.detail).not.toContain('secret')
  })

  test('an error is tried again from the last chunk, and five errors fail the job', async () => {
    const jobs = makeJobs()
    let errors = 0
    jobs.register('probe.copy', async (job, tools) => {
      await copy(job, tools, job.progress + 1)
      errors += 1
      if (errors < 3) throw new Error('the disk is full')
    })
    const mended = await enqueue(jobs)
    await jobs.runUntilIdle()
    expect(await row(mended)).toMatchObject({ state: 'done', attempts: 3, progress: 3 })
    expect(await lines(mended)).toEqual([1, 2, 3])
    errors = -100
    const hopeless = await enqueue(jobs)
    await jobs.runUntilIdle()
    expect(await row(hopeless)).toMatchObject({
      state: 'failed',
      attempts: 5,
      error: { code: 'INTERNAL', detail: expect.stringContaining(hopeless) },
    })
  })

  test('work that ends because its plugin went or was replaced costs the job no try', async () => {
    const jobs = makeJobs()
    const ends = [pluginReplaced, pluginDisabled, pluginQuarantined].map((why) => why({ plugin: 'probe' }))
    jobs.register('probe.copy', async () => {
      const why = ends.pop()
      if (why) throw why
    })
    const id = await enqueue(jobs)
    await jobs.runUntilIdle()
    expect(await row(id)).toMatchObject({ state: 'done', attempts: 1 })
  })

  test('while a job of a key is unfinished there is no second one', async () => {
    const jobs = makeJobs()
    jobs.register('probe.copy', async () => {})
    const [first, second] = [await enqueue(jobs, { key: 'nightly' }), await enqueue(jobs, { key: 'nightly' })]
    expect(second).toBe(first)
    await jobs.runUntilIdle()
    expect(await enqueue(jobs, { key: 'nightly' })).not.toBe(first)
  })

  test('a cancelled job stops at its next chunk and keeps what it had done', async () => {
    const jobs = makeJobs()
    const owner = randomUUID()
    jobs.register('probe.copy', async (job, tools) => {
      await copy(job, tools, 2)
      await call('post', job.id, { id: owner })
      await copy({ ...job, progress: 2 }, tools, 5)
    })
    const id = await enqueue(jobs, { actor: { type: 'user', id: owner } })
    await jobs.runUntilIdle()
    expect(await row(id)).toMatchObject({ state: 'cancelled', progress: 2, error: null })
    expect(await lines(id)).toEqual([1, 2])
    await expect(call('post', id, { id: owner })).resolves.toMatchObject({ data: { state: 'cancelled' } })
  })

  test('a running job hears that it was cancelled although it reports nothing', async () => {
    const jobs = makeJobs()
    let told: unknown
    jobs.register('probe.copy', (_job, { signal }) => {
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          told = signal.reason
          reject(signal.reason as Error)
        })
      })
    })
    await start(jobs)
    const owner = randomUUID()
    const id = await enqueue(jobs, { actor: { type: 'user', id: owner } })
    await expect.poll(() => row(id), patience).toMatchObject({ state: 'running' })
    await call('post', id, { id: owner })
    await expect
      .poll(() => told, patience)
      .toMatchObject({ code: 'JOB_INTERRUPTED', message: expect.stringContaining('cancelled') })
    expect(await row(id)).toMatchObject({ state: 'cancelled' })
  })

  test('while a job fills a table, the planner hears how many rows it has', async () => {
    const jobs = makeJobs()
    const { owner } = bench.database
    const known = async () =>
      (
        await sql<{
          rows: number
        }>`select reltuples::integer as rows from pg_class where oid = 'public.line'::regclass`.execute(owner)
      ).rows[0]?.rows
    const before = (await known()) ?? 0
    jobs.register('probe.copy', async (job, { unit, signal }) => {
      await unit((ctx) =>
        sql`insert into public.line select ${job.id}::uuid, nth from generate_series(1, 1000) nth`.execute(ctx.sql),
      )
      while (!signal.aborted && ((await known()) ?? 0) < before + 1_000) await pause(50)
    })
    await start(jobs)
    const id = await enqueue(jobs)
    await expect.poll(() => row(id), patience).toMatchObject({ state: 'done' })
    expect(await known()).toBeGreaterThanOrEqual(1_000)
  })

  test('a job is interrupted when its plugin is disabled and goes on when it is enabled', async () => {
    const jobs = makeJobs()
    jobs.register('probe.copy', async (job, tools) => {
      await copy(job, tools, Math.min(job.progress + 1, 2))
      if (job.progress === 0)
        await new Promise((_, reject) =>
          tools.signal.addEventListener('abort', () => reject(tools.signal.reason as Error)),
        )
    })
    await start(jobs)
    const id = await enqueue(jobs)
    await expect.poll(() => row(id), patience).toMatchObject({ state: 'running', progress: 1 })
    await bench.switchPlugin('disabled')
    await expect.poll(() => row(id), patience).toMatchObject({ state: 'queued' })
    await bench.switchPlugin('enabled')
    await expect.poll(() => row(id), patience).toMatchObject({ state: 'done', progress: 2 })
    expect(await lines(id)).toEqual([1, 2])
  })

  test('a worker that stops hands its job to the next one', async () => {
    const [first, second] = [makeJobs(), makeJobs()]
    first.register('probe.copy', async (job, tools) => {
      await copy(job, tools, 2)
      await new Promise((_, reject) =>
        tools.signal.addEventListener('abort', () => reject(tools.signal.reason as Error)),
      )
    })
    second.register('probe.copy', (job, tools) => copy(job, tools, 4))
    await start(first)
    const id = await enqueue(first)
    await expect.poll(() => row(id), patience).toMatchObject({ progress: 2 })
    await first.stop()
    started.delete(first)
    await start(second)
    await expect.poll(() => row(id), patience).toMatchObject({ state: 'done', progress: 4 })
    expect(await lines(id)).toEqual([1, 2, 3, 4])
  })

  test('a schedule is kept once per tick in each workspace that has its plugin on, in that workspace’s zone', async () => {
    const ran: [string, string][] = []
    const plugin = definePlugin({
      id: 'probe',
      version: '1.0.0',
      platform: '^1.0.0',
      title: { en: 'Probe', fr: 'Sonde' },
      jobs: [
        {
          id: 'sweep',
          schedule: '0 6 * * *',
          run: async (ctx) => void ran.push([ctx.workspace.id, ctx.clock.now().toISOString()]),
        },
      ],
    })
    const processes = [makeJobs(), makeJobs()]
    for (const jobs of processes) jobs.prepare({ plugins: [plugin] })()
    const off = randomUUID()
    await bench.addWorkspace(off)
    await bench.switchPlugin('disabled', 'probe', off)
    const tokyo = randomUUID()
    await bench.addWorkspace(tokyo)
    await bench.switchPlugin('enabled', 'probe', tokyo)
    await sql`update core.workspace set zone = 'Asia/Tokyo' where id = ${tokyo}::uuid`.execute(bench.database.owner)
    const tick = () => Promise.all(processes.map((jobs) => jobs.runUntilIdle()))
    const mine = () => ran.filter(([workspace]) => [bench.workspace, off, tokyo].includes(workspace))
    await tick()
    expect(mine()).toEqual([])
    clock.advance(12 * 3_600 + 60) // 2 March 21:01 UTC: 6:01 in Tokyo, 22:01 in Paris
    await tick()
    await tick()
    expect(mine()).toEqual([[tokyo, '2026-03-02T21:01:00.000Z']])
    clock.advance(8 * 3_600) // 3 March 5:01 UTC: 6:01 in Paris
    await tick()
    expect(mine().slice(1)).toEqual([[bench.workspace, '2026-03-03T05:01:00.000Z']])
    // Three mornings without any process are made up by one run.
    clock.advance(3 * 86_400)
    await tick()
    expect(mine().filter(([workspace]) => workspace === bench.workspace)).toHaveLength(2)
  })

  /** Calls a job's route as a user would. */
  async function call(
    method: 'get' | 'post',
    id: string,
    actor: { id: string; may?: string },
    verb = 'cancel',
  ): Promise<unknown> {
    const route = jobRoutes.find((it) => it.method === method && (method === 'get' || it.path.endsWith(verb)))
    return bench.runUnit(unit(), (ctx) => {
      const asUser = {
        ...ctx,
        actor: { type: 'user', id: actor.id, name: 'Anna', locale: 'en' },
        authority: { may: (permission: string) => permission === actor.may },
      } as unknown as Context
      return route?.handle({ params: { id } } as never, asUser) ?? Promise.reject(new Error('no route'))
    })
  }

  test('a job exists for who started it and for who manages jobs, and for nobody else', async () => {
    const anna = randomUUID()
    const id = await enqueue(makeJobs(), { actor: { type: 'user', id: anna } })
    await expect(call('get', id, { id: anna })).resolves.toMatchObject({
      data: { id, state: 'queued', progress: 0, startedBy: anna },
    })
    await expect(call('get', id, { id: randomUUID(), may: 'core.job.manage' })).resolves.toMatchObject({ data: { id } })
    await expect(call('get', id, { id: randomUUID() })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND', status: 404 })
    await expect(call('post', id, { id: randomUUID() })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    expect(await row(id)).toMatchObject({ state: 'queued' })
  })

  test('what an API key asks for works for that key', async () => {
    const key = randomUUID()
    const jobs = makeJobs()
    const asFor: unknown[] = []
    jobs.register('probe.copy', async ({ actor }) => void asFor.push(actor))
    await bench.runUnit(unit(), (ctx) =>
      jobs.enqueue({ workspace: bench.workspace, kind: 'probe.copy' }, {
        ...ctx,
        actor: { type: 'key', id: key, name: 'sync', locale: 'en' },
      } as unknown as Context),
    )
    await jobs.runUntilIdle()
    expect(asFor).toEqual([{ type: 'key', id: key }])
  })

  test('a paused job waits after its chunk and goes on from there, however often', async () => {
    const anna = randomUUID()
    const jobs = makeJobs()
    const id = await enqueue(jobs, { actor: { type: 'user', id: anna } })
    await expect(call('post', id, { id: anna }, 'resume')).rejects.toMatchObject({ code: 'JOB_NOT_PAUSED' })
    let pauseAt = 1
    jobs.register('probe.copy', async (job, tools) => {
      for (let nth = job.progress + 1; nth <= 9; nth += 1) {
        if (nth > pauseAt && pauseAt < 8) await call('post', id, { id: anna }, 'pause')
        await copy({ id: job.id, progress: nth - 1 }, tools, nth)
      }
    })
    for (; pauseAt < 8; pauseAt += 1) {
      await jobs.runUntilIdle()
      expect(await row(id)).toMatchObject({ state: 'paused', progress: pauseAt })
      await call('post', id, { id: anna }, 'resume')
    }
    await jobs.runUntilIdle()
    expect(await row(id)).toMatchObject({ state: 'done', progress: 9 })
    expect(await lines(id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    await expect(call('post', id, { id: anna }, 'pause')).rejects.toMatchObject({ code: 'JOB_FINISHED' })
  })

  test.runIf(kind === 'postgres')(
    'a job whose process is killed goes on elsewhere after its last chunk',
    { timeout: 120_000 },
    async () => {
      const id = await enqueue(makeJobs())
      const child = fork(join(import.meta.dirname, 'jobs-process.ts'), [url, bench.workspace], {
        execArgv: ['--conditions=socle-source'],
      })
      await once(child, 'message')
      child.kill('SIGKILL')
      await once(child, 'exit')
      expect(await row(id)).toMatchObject({ state: 'running' })
      const before = await lines(id)
      const jobs = makeJobs({ recoverSeconds: 10 })
      jobs.register('probe.copy', (job, tools) => copy(job, tools, 20))
      await start(jobs)
      await expect
        .poll(() => row(id), { timeout: 100_000, interval: 200 })
        .toMatchObject({ state: 'done', attempts: 2 })
      expect(before.length).toBeGreaterThan(0)
      expect(await lines(id)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
    },
  )
})
