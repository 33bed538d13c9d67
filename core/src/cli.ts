import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { systemClock } from './clock.ts'
import { readEnvironment } from './config.ts'
import type { Database } from './database/database.ts'
import { Signals } from './database/signals.ts'
import { defineError, SocleError } from './errors.ts'
import { holdDeliveries } from './events/holds.ts'
import { flushEmissions } from './events/outbox.ts'
import { installedDependents } from './plugins/dependents.ts'
import { Enablement } from './plugins/enablement.ts'
import { Generation } from './plugins/generation.ts'
import { PluginDisabled } from './plugins/plugin-events.ts'
import { deadAfterSeconds, Processes } from './plugins/processes.ts'
import { beginRemoval, carryOut, decide, leave, standingOf } from './plugins/removal/carry-out.ts'
import { sidesByTables } from './plugins/removal/grants.ts'
import type { UninstallMode } from './plugins/removal/places.ts'
import { putAway } from './plugins/removal/put-away.ts'
import { recordOfPlugin } from './plugins/toggle-ledger.ts'
import { openDatabase } from './serve.ts'
import { pino } from 'pino'
import { uuidv7 } from 'uuidv7'

const modes = ['keep', 'archive', 'purge'] as const

const usage = `socle plugin list
    Modules of this installation, and in how many workspaces each is on.
socle plugin disable <id> --force
    Switches a module off in every workspace, without any of its code: for one that keeps the platform from serving.
socle plugin uninstall <id> --mode keep|archive|purge [--confirm <id>] [--cascade]
    Takes a module away without any of its code. Its data stays, goes into an archive that is listed under Modules, or
    goes for ever: a purge asks for the module's id once more. With --cascade what needs it goes first, in the same way.

With --json each answers one line of JSON; a refusal is { "code", "detail" } and ends with 1.
All work on the database alone, that of DATABASE_URL or SOCLE_DATA; an embedded one must not be in use.`

export interface CliOptions {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly tell: (line: string) => void
}

/** What a command answers, as a person reads it and as a program does. */
interface Outcome {
  readonly said: readonly string[]
  readonly data: unknown
}

/** The operator's command, on the database alone. @returns the exit code */
export async function run(args: readonly string[], { variables, tell }: CliOptions): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      force: { type: 'boolean', default: false },
      mode: { type: 'string' },
      confirm: { type: 'string' },
      cascade: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const [area, verb, plugin = ''] = positionals
  const command = area === 'plugin' ? verb : undefined
  const mode = modes.find((it) => it === values.mode)
  const work: Readonly<Record<string, (database: Database) => Promise<Outcome>>> = {
    list,
    ...(plugin === '' ? {} : { disable: (database) => disable(database, plugin) }),
    ...(plugin === '' || !mode
      ? {}
      : { uninstall: (database) => uninstall(database, plugin, { mode, cascade: values.cascade }) }),
  }
  const asked = command !== undefined && Object.hasOwn(work, command) ? work[command] : undefined
  if (!asked) {
    tell(usage)
    return 1
  }
  let database: Database | undefined
  try {
    if (command === 'disable' && !values.force) throw forceUnsaid({ plugin })
    if (command === 'uninstall' && mode === 'purge' && values.confirm !== plugin) throw purgeUnsaid({ plugin })
    database = await openDatabase(readEnvironment(variables))
    const { said, data } = await asked(database)
    for (const line of values.json ? [JSON.stringify(data)] : said) tell(line)
    return 0
  } catch (error) {
    if (!(error instanceof SocleError)) throw error
    const { code, message, extras } = error
    tell(values.json ? JSON.stringify({ code, detail: message, ...extras }) : message)
    return 1
  } finally {
    await database?.close()
  }
}

const forceUnsaid = defineError<{ plugin: string }>(
  'FORCE_UNSAID',
  422,
  ({ plugin }) =>
    `Under Modules, ${plugin} is switched off after its last request, and nothing that needs it is left behind. Say --force to switch it off everywhere without asking it.`,
)
const purgeUnsaid = defineError<{ plugin: string }>(
  'CONFIRMATION_DIFFERS',
  422,
  ({ plugin }) => `A purge cannot be undone. Say --confirm ${plugin} to take ${plugin} away with all its data.`,
)
const needed = defineError<{ plugin: string; dependents: readonly string[] }>(
  'PLUGIN_HAS_DEPENDENTS',
  409,
  ({ plugin, dependents }) =>
    `${plugin} is needed by ${dependents.join(', ')}. Uninstall ${dependents.length === 1 ? 'that' : 'those'} first, or say --cascade to take ${dependents.length === 1 ? 'it' : 'them'} too, in the same way.`,
)
const heldElsewhere = defineError<{ plugin: string; operation: string }>(
  'PLUGIN_BUSY',
  409,
  ({ plugin, operation }) =>
    `A process that runs is at ${plugin} (${operation}). Wait until it is done, then try again.`,
)
const absent = defineError<{ plugin: string }>(
  'PLUGIN_UNKNOWN',
  404,
  ({ plugin }) => `No module "${plugin}" is installed here. "socle plugin list" names those that are.`,
)

async function list({ owner }: Database): Promise<Outcome> {
  const { rows } = await sql<{ id: string; version: string; state: string; workspaces: number }>`
    select p.id, p.version, p.state, count(w.workspace)::integer as workspaces
    from core.plugin p left join core.plugin_workspace w on w.plugin = p.id and w.state = 'enabled'
    where p.id <> 'core' group by p.id order by p.id`.execute(owner)
  const said = rows.map(
    ({ id, version, state, workspaces }) =>
      `${id} ${version || '(no version)'}  ${state}  on in ${workspaces} workspaces`,
  )
  return { said, data: rows }
}

async function isInstalled({ owner }: Database, plugin: string): Promise<boolean> {
  const { rows } = await sql`
    select from core.plugin where id = ${plugin} and id <> 'core' and state <> 'removed'`.execute(owner)
  return rows.length > 0
}

async function disable(database: Database, plugin: string): Promise<Outcome> {
  if (!(await isInstalled(database, plugin))) throw absent({ plugin })
  const workspaces = await switchOff(database, plugin)
  const said = `${plugin} is off in ${workspaces} ${workspaces === 1 ? 'workspace' : 'workspaces'} where it was not. Its data and its events are kept.`
  return { said: [said], data: { plugin, workspaces } }
}

/** @returns in how many workspaces it was not off */
async function switchOff(database: Database, plugin: string): Promise<number> {
  const { rows } = await sql<{ workspace: string }>`
    select workspace from core.plugin_workspace where plugin = ${plugin} and state <> 'disabled'`.execute(
    database.owner,
  )
  const signals = new Signals(database)
  const generation = new Generation({ database, signals, log: pino({ level: 'silent' }) })
  const enablement = new Enablement({ database, signals, generation }, () => false)
  for (const { workspace } of rows) {
    const at = systemClock.now()
    const told = { ...PluginDisabled, payload: { plugin, by: null }, key: recordOfPlugin(plugin) }
    await enablement.move(
      { workspace, plugin, state: 'disabled', at },
      {
        async also(tx) {
          await holdDeliveries(tx, { workspace, plugin })
          await flushEmissions(tx, { workspace, emissions: [told], at: at.toISOString() })
        },
      },
    )
  }
  if (rows.length > 0) signals.send({ kind: 'deliveries' })
  await signals.stop()
  return rows.length
}

async function uninstall(
  database: Database,
  plugin: string,
  { mode, cascade }: { readonly mode: UninstallMode; readonly cascade: boolean },
): Promise<Outcome> {
  const { owner } = database
  const { rows: workspaces } = await sql<{ id: string }>`
    select id from core.workspace order by created_at, id limit 1`.execute(owner)
  const workspace = workspaces[0]?.id
  if (workspace === undefined || !(await isInstalled(database, plugin))) throw absent({ plugin })
  const dependents = (await installedDependents(owner, plugin)).map(({ id }) => id)
  if (dependents.length > 0 && !cascade) throw needed({ plugin, dependents }, { dependents })
  const plugins = [...dependents, plugin]
  const { rows: busy } = await sql<{ plugin: string; operation: string }>`
    select o.plugin, o.operation from core.plugin_operation o join core.process p on p.id = o.process
    where o.plugin = any(${plugins}::text[]) and p.seen_at > now() - make_interval(secs => ${deadAfterSeconds})`.execute(
    owner,
  )
  if (busy[0]) throw heldElsewhere(busy[0])
  const removed: Removed[] = []
  for (const id of plugins) removed.push(...(await remove(database, id, { mode, workspace })))
  const left = ({ archive }: Removed): string =>
    ({
      keep: 'Its data is kept.',
      archive: `Its data is in archive ${archive}, listed under Modules.`,
      purge: 'Nothing of it is left but what the ledger and the event log tell.',
    })[mode]
  return {
    said: [
      ...(dependents.length > 0 ? [`${dependents.join(', ')} went first, for what needs ${plugin} goes with it.`] : []),
      ...removed.map((it) => `${it.plugin} ${it.version} is gone. ${left(it)}`),
    ],
    data: { mode, removed },
  }
}

interface Removed {
  readonly plugin: string
  readonly version: string
  /** Id of the archive its data went into. */
  readonly archive: string | null
}

/** @returns nothing where it went meanwhile */
async function remove(
  database: Database,
  plugin: string,
  { mode, workspace }: { readonly mode: UninstallMode; readonly workspace: string },
): Promise<readonly Removed[]> {
  const { owner } = database
  const sides = await sidesByTables(owner, plugin)
  const removal = await beginRemoval(owner, plugin, { job: null, mode, sides, told: true })
  if (!removal) return []
  await switchOff(database, plugin)
  await owner.transaction().execute((tx) => leave(tx, plugin, { about: undefined, troubles: [] }))
  await othersFollow(database)
  const { version, about } = await standingOf(owner, plugin)
  const archive = mode === 'archive' ? uuidv7() : null
  if (archive !== null) {
    const request = { id: archive, workspace, plugin, version, about, whole: true, sides: removal.sides, by: undefined }
    await putAway({ database, clock: systemClock }, request)
  }
  await owner.transaction().execute((tx) => decide(tx, plugin))
  const nobodyElse = { keep: async () => {}, step: async () => {} }
  await carryOut({ owner, clock: systemClock }, { ...nobodyElse, plugin, removal, workspace, by: undefined })
  return [{ plugin, version, archive }]
}

/** Processes that run let go of it before its tables change. */
async function othersFollow(database: Database): Promise<void> {
  const log = pino({ level: 'silent' })
  const generation = new Generation({ database, signals: new Signals(database), log })
  await generation.follow()
  await new Processes({ database, generation, log }).followed()
}
