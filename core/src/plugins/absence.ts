import { sql } from 'kysely'
import type { SocleError } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { pluginAsleep, pluginDisabled, pluginQuarantined } from './errors.ts'

/**
 * Why an installed plugin does not answer in a workspace.
 *
 * @returns nothing when no plugin of that id is installed
 */
export async function refusalFor(
  { database, enablement, loaded, safeMode }: Parts,
  workspace: string,
  plugin: string,
): Promise<SocleError | undefined> {
  const standing = (await enablement.standingsIn(workspace)).get(plugin)
  if (standing?.state === 'quarantined') return pluginQuarantined({ plugin })
  if (loaded.get(plugin)) return pluginDisabled({ plugin })
  const { rows } = await sql<{ state: string }>`
    select state from core.plugin where id = ${plugin} and state not in ('removing', 'removed')`.execute(database.owner)
  const [installed] = rows
  if (!installed) return undefined
  if (safeMode) return pluginAsleep({ plugin })
  return standing?.state === 'enabled' || installed.state === 'quarantined'
    ? pluginQuarantined({ plugin })
    : pluginDisabled({ plugin })
}
