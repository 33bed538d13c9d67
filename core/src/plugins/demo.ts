import { sql } from 'kysely'
import type { Kernel } from '../kernel.ts'
import type { UnitLimit } from '../unit-end.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { pluginTimedOut } from './errors.ts'

/** A year of business is told in one piece. */
const demoLimit: UnitLimit = { seconds: 600, late: pluginTimedOut }

/** Fills a workspace with the demonstration data of a plugin that is on there. */
export async function fillWithDemo(kernel: Kernel, workspace: string, { id, demo }: PluginDefinition): Promise<void> {
  if (demo) await kernel.runUnit({ workspace, plugin: id, cause: { origin: 'demo' }, limit: demoLimit }, demo)
}

/** Whether a workspace shows the demonstration. */
export async function showsDemo({ parts }: Kernel, workspace: string): Promise<boolean> {
  const { rows } = await sql<{ demo: boolean }>`select demo from core.workspace where id = ${workspace}::uuid`.execute(
    parts.database.owner,
  )
  return rows[0]?.demo === true
}
