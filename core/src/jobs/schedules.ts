import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Sql } from '../database/database.ts'
import type { JobDefinition, PluginDefinition } from '../plugins/define-plugin.ts'

/** A plugin's work on a schedule. */
export interface Schedule {
  /** Kind of the jobs it makes: `<plugin>.<job id>`. */
  readonly kind: string
  readonly plugin: string
  readonly cron: string
  readonly run: JobDefinition['run']
}

/** First instant after `from` at which a cron expression is due in a time zone. */
export type NextTick = (cron: string, zone: string, from: Date) => Date | undefined

export function schedulesOf(plugins: Iterable<PluginDefinition>): readonly Schedule[] {
  return [...plugins].flatMap(({ id: plugin, jobs = [] }) =>
    jobs.map(({ id, schedule, run }) => ({ kind: `${plugin}.${id}`, plugin, cron: schedule, run })),
  )
}

interface Due {
  readonly kind: string
  readonly workspace: string
  readonly zone: string
  readonly next_at: string | null
}

/**
 * Makes a job for each schedule that is due, in each workspace that has its plugin on: once per tick, whatever the
 * number of processes, because whoever moves the instant on makes the job in the same statement. Ticks nobody was there
 * for are made up by one.
 */
export async function makeDueJobs(
  owner: Sql,
  schedules: readonly Schedule[],
  now: Date,
  nextTick: NextTick,
): Promise<void> {
  if (schedules.length === 0) return
  const byKind = new Map(schedules.map((schedule) => [schedule.kind, schedule]))
  const { rows } = await sql<Due>`
    select j.kind, w.id as workspace, w.zone, s.next_at
    from unnest(${schedules.map(({ kind }) => kind)}::text[], ${schedules.map(({ plugin }) => plugin)}::text[]) as j (kind, plugin)
    cross join core.workspace w
    left join core.plugin_workspace p on p.workspace = w.id and p.plugin = j.plugin
    left join core.schedule s on s.workspace = w.id and s.job = j.kind
    where (j.plugin = 'core' or p.state = 'enabled') and (s.next_at is null or s.next_at <= ${now.toISOString()}::timestamptz)`.execute(
    owner,
  )
  for (const { kind, workspace, zone, next_at: due } of rows) {
    const schedule = byKind.get(kind)
    const next = schedule && nextTick(schedule.cron, zone, now)
    if (!next) continue
    if (due === null) {
      await sql`insert into core.schedule (workspace, job, next_at) values (${workspace}::uuid, ${kind}, ${next.toISOString()}::timestamptz)
        on conflict do nothing`.execute(owner)
      continue
    }
    await sql`
      with tick as (
        update core.schedule set next_at = ${next.toISOString()}::timestamptz
        where workspace = ${workspace}::uuid and job = ${kind} and next_at <= ${now.toISOString()}::timestamptz
        returning workspace)
      insert into core.job (id, workspace, plugin, kind, key, created_at)
      select ${uuidv7()}::uuid, workspace, ${schedule.plugin}, ${kind}, 'schedule', ${now.toISOString()}::timestamptz from tick
      on conflict do nothing`.execute(owner)
  }
}
