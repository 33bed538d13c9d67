import { sql } from 'kysely'
import type { Clock } from '../../clock.ts'
import type { Sql } from '../../database/database.ts'
import { flushEmissions } from '../../events/outbox.ts'
import { PluginRemoved } from '../store/events.ts'
import { raiseGeneration } from '../generation.ts'
import { keepPluginEntry, recordOfPlugin } from '../toggle-ledger.ts'
import { aboutSchema, type About } from './archive-file.ts'
import { everyWorkspace } from './as-owner.ts'
import { clearPlaces, clearPointers, dropSchema, type Clearing } from './clear.ts'
import { takeGrants, type SideField } from './grants.ts'
import { leftBy, type UninstallMode } from './places.ts'
import { dropArchive } from './put-away.ts'

/** What is under way while a plugin goes, as its row keeps it. */
export interface Removal {
  readonly job: string | null
  readonly mode: UninstallMode
  /** How it stood before. */
  readonly was: string
  /** Workspaces in which it was on. */
  readonly on: readonly string[]
  /** Fields it added to resources of others: rights to them go too. */
  readonly sides: readonly SideField[]
  /** Its code was told, or is not there to be told. */
  readonly told: boolean
  /** From here on it goes, whatever fails. */
  readonly final: boolean
  /** What its code said against it. */
  readonly troubles: readonly string[]
}

/**
 * Says on the plugin's row that it is to go, and how it stands; of one that is on its way already what was said then.
 *
 * @returns nothing where it is gone
 */
export async function beginRemoval(
  owner: Sql,
  plugin: string,
  { job, mode, sides, told }: Pick<Removal, 'job' | 'mode' | 'sides' | 'told'>,
): Promise<Removal | undefined> {
  const { rows } = await sql<{ removal: Removal }>`
    update core.plugin p set removal = coalesce(removal, '{}') || jsonb_build_object('job', ${job}::text, 'mode', ${mode}::text)
      || case when removal is null then jsonb_build_object('was', state, 'sides', ${JSON.stringify(sides)}::jsonb,
          'told', ${told}::boolean, 'final', false, 'troubles', '[]'::jsonb,
          'on', coalesce((select jsonb_agg(w.workspace) from core.plugin_workspace w where w.plugin = p.id and w.state = 'enabled'), '[]'))
        else '{}' end
    where id = ${plugin} and id <> 'core' and state <> 'removed'
    returning removal`.execute(owner)
  return rows[0]?.removal
}

/** Every process lets go of it, as it follows the generation. */
export async function leave(
  tx: Sql,
  plugin: string,
  { about, troubles }: { readonly about: About | undefined; readonly troubles: readonly string[] },
): Promise<void> {
  await sql`
    update core.plugin set state = 'removing', about = coalesce(${about ? JSON.stringify(about) : null}::jsonb, about),
      removal = removal || ${JSON.stringify({ told: true, troubles })}::jsonb
    where id = ${plugin}`.execute(tx)
  await raiseGeneration(tx)
}

/** From here on it cannot be taken back. */
export async function decide(tx: Sql, plugin: string): Promise<Removal> {
  const { rows } = await sql<{ removal: Removal }>`
    update core.plugin set removal = removal || '{"final": true}' where id = ${plugin} returning removal`.execute(tx)
  if (!rows[0]) throw new Error(`${plugin} went while it was being removed.`)
  return rows[0].removal
}

/** Which version's tables are here, and what it is called; its id where nobody ever said. */
export async function standingOf(
  owner: Sql,
  plugin: string,
): Promise<{ readonly version: string; readonly about: About }> {
  const { rows } = await sql<{ version: string; about: unknown; manifest: unknown }>`
    select version, about, manifest from core.plugin where id = ${plugin}`.execute(owner)
  const [row] = rows
  const said = aboutSchema.safeParse(row?.about ?? null)
  const packed = aboutSchema.strip().safeParse(row?.manifest ?? null)
  const about = said.data ?? packed.data ?? { title: { en: plugin, fr: plugin } }
  return { version: row?.version ?? '', about }
}

export interface CarryingOut extends Clearing {
  readonly plugin: string
  readonly removal: Pick<Removal, 'job' | 'mode' | 'sides'>
  /** Whose audit keeps it, and who is told. */
  readonly workspace: string
  readonly by: string | undefined
}

/**
 * Takes a plugin out of the tables: what is left of it, by the way it goes. Nobody runs it any more, and its data was put away
 * where that was asked. Killed in the middle and run again it ends the same.
 */
export async function carryOut(
  { owner, clock }: { readonly owner: Sql; readonly clock: Clock },
  { plugin, removal, workspace, by, keep, step }: CarryingOut,
): Promise<void> {
  const { mode, sides } = removal
  const workspaces = await everyWorkspace(owner)
  if (mode === 'purge') await clearPointers(owner, plugin, workspaces)
  const taking = { plugin, workspaces, sides, forgetTemplates: mode !== 'keep', at: clock.now() }
  await takeGrants(owner, taking, async (tx, lines) => {
    await keep(tx)
    if (mode !== 'keep' || lines.length === 0) return
    await sql`
      update core.plugin set kept = jsonb_build_object('grants',
        coalesce(kept -> 'grants', '[]') || ${JSON.stringify(lines)}::jsonb) where id = ${plugin}`.execute(tx)
  })
  await clearPlaces(owner, plugin, { places: leftBy(mode), workspaces, keep, step })
  if (mode !== 'keep') await dropSchema(owner, plugin, { keep })
  if (mode === 'purge') {
    const { rows } = await sql<{ id: string; workspace: string }>`
      select id, workspace from core.plugin_archive where plugin = ${plugin}`.execute(owner)
    for (const archive of rows) await dropArchive(owner, archive.workspace, archive.id)
  }
  await owner.transaction().execute(async (tx) => {
    await keep(tx)
    const { rows } = await sql<{ version: string; source: string }>`
      select version, source from core.plugin where id = ${plugin} for update`.execute(tx)
    const [row] = rows
    if (!row) return
    const at = clock.now()
    const instant = at.toISOString()
    // Where its data stays, it is told from which version on: it is not there for the first time when it comes back.
    await sql`
      delete from core.plugin_workspace where plugin = ${plugin} ${mode === 'keep' ? sql`and state <> 'disabled'` : sql``}`.execute(
      tx,
    )
    await sql`
      update core.plugin_version set replaced_at = ${instant}::timestamptz where plugin = ${plugin} and replaced_at is null`.execute(
      tx,
    )
    await leaveRow(tx, plugin, { mode, source: row.source, at: instant })
    await tickOff(tx, plugin, removal.job)
    if (mode === 'purge') await forgetJobs(tx, plugin, removal.job)
    await raiseGeneration(tx)
    const fields = { version: [row.version, null], removed: [null, mode] } as const
    await keepPluginEntry(tx, { workspace, plugin, fields, by, at })
    const told = { ...PluginRemoved, payload: { plugin, version: row.version, mode }, key: recordOfPlugin(plugin) }
    await flushEmissions(tx, { workspace, emissions: [told], at: instant })
  })
}

/**
 * What stays in the list of plugins: one whose tables are here, and one that comes with the deployment, so that the next boot
 * does not take it for new.
 */
async function leaveRow(
  tx: Sql,
  plugin: string,
  { mode, source, at }: { readonly mode: UninstallMode; readonly source: string; readonly at: string },
): Promise<void> {
  if (mode !== 'keep' && source === 'store') {
    await sql`delete from core.plugin where id = ${plugin}`.execute(tx)
    return
  }
  // Without tables there is no version that an older one must not run on.
  const version = mode === 'keep' ? sql.ref('version') : sql`''`
  await sql`
    update core.plugin set state = 'removed', reason = null, removal = null, version = ${version}, updated_at = ${at}::timestamptz
    where id = ${plugin}`.execute(tx)
}

/** The job that is run again takes away what is left to it, and not what was installed again meanwhile. */
async function tickOff(tx: Sql, plugin: string, job: string | null): Promise<void> {
  await sql`
    update core.job set payload = jsonb_set(payload, '{plugins}', (payload -> 'plugins') - ${plugin}::text)
    where id = ${job}::uuid and payload ? 'plugins'`.execute(tx)
}

/** The platform's own work on it names it in what it was asked for. */
async function forgetJobs(tx: Sql, plugin: string, running: string | null): Promise<void> {
  await sql`
    delete from core.job where plugin = 'core' and payload ->> 'plugin' = ${plugin} and id is distinct from ${running}::uuid`.execute(
    tx,
  )
  await sql`
    update core.job set payload = payload - 'plugin' where id = ${running}::uuid and payload ->> 'plugin' = ${plugin}`.execute(
    tx,
  )
}
