import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { systemClock } from './clock.ts'
import { readEnvironment } from './config.ts'
import type { Database } from './database/database.ts'
import { Signals } from './database/signals.ts'
import { holdDeliveries } from './events/holds.ts'
import { Enablement } from './plugins/enablement.ts'
import { Generation } from './plugins/generation.ts'
import { openDatabase } from './serve.ts'
import { pino } from 'pino'

const usage = `socle plugin list
    Modules of this installation, and in how many workspaces each is on.
socle plugin disable <id> --force
    Switches a module off in every workspace, without any of its code: for one that keeps the platform from serving.

Both work on the database alone, that of DATABASE_URL or SOCLE_DATA; an embedded one must not be in use.`

export interface CliOptions {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly tell: (line: string) => void
}

/** The operator's command, on the database alone. @returns the exit code */
export async function run(args: readonly string[], { variables, tell }: CliOptions): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false } },
  })
  const [area, verb, plugin] = positionals
  const command = area === 'plugin' ? verb : undefined
  if (command !== 'list' && (command !== 'disable' || plugin === undefined)) {
    tell(usage)
    return 1
  }
  if (command === 'disable' && !values.force) {
    tell(
      `Under Modules, ${plugin} is switched off after its last request, and nothing that needs it is left behind. Say --force to switch it off everywhere without asking it.`,
    )
    return 1
  }
  const database = await openDatabase(readEnvironment(variables))
  try {
    return command === 'list' ? await list(database, tell) : await disable(database, plugin ?? '', tell)
  } finally {
    await database.close()
  }
}

async function list({ owner }: Database, tell: CliOptions['tell']): Promise<number> {
  const { rows } = await sql<{ id: string; version: string; state: string; workspaces: number }>`
    select p.id, p.version, p.state, count(w.workspace)::integer as workspaces
    from core.plugin p left join core.plugin_workspace w on w.plugin = p.id and w.state = 'enabled'
    where p.id <> 'core' group by p.id order by p.id`.execute(owner)
  for (const { id, version, state, workspaces } of rows)
    tell(`${id} ${version || '(no version)'}  ${state}  on in ${workspaces} workspaces`)
  return 0
}

async function disable(database: Database, plugin: string, tell: CliOptions['tell']): Promise<number> {
  const { rows } = await sql<{ workspace: string }>`
    select workspace from core.plugin_workspace where plugin = ${plugin} and state <> 'disabled'`.execute(
    database.owner,
  )
  const signals = new Signals(database)
  const generation = new Generation({ database, signals, log: pino({ level: 'silent' }) })
  const enablement = new Enablement({ database, signals, generation }, () => false)
  for (const { workspace } of rows) {
    await enablement.move(
      { workspace, plugin, state: 'disabled', at: systemClock.now() },
      { also: (tx) => holdDeliveries(tx, { workspace, plugin }) },
    )
  }
  await signals.stop()
  tell(
    `${plugin} is off in ${rows.length} ${rows.length === 1 ? 'workspace' : 'workspaces'} where it was not. Its data and its events are kept.`,
  )
  return 0
}
