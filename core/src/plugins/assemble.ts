import { MikroORM } from '@mikro-orm/core'
import { PgliteDriver } from '@mikro-orm/pglite'
import { PostgreSqlDriver } from '@mikro-orm/postgresql'
import type { Logger } from 'pino'
import type { Database } from '../database/database.ts'
import { EventCatalog, mergeEvents, recordEvents } from '../events/index.ts'
import { Catalog } from '../records/registry.ts'
import { WriteFence } from '../write-fence.ts'
import type { PluginDefinition } from './define-plugin.ts'
import type { PluginSet } from './loaded-plugins.ts'

/**
 * Makes what plugins are together: their entities mapped, their resources and events catalogued. Nothing of it is shared with
 * another set, so that a set may be made beside the one that runs.
 *
 * @param plugins - in dependency order, the core first
 * @throws what a declaration is wrong in
 */
export function assemble(
  plugins: readonly PluginDefinition[],
  { database, log }: { readonly database: Database; readonly log: Logger },
): PluginSet {
  const orm = new MikroORM({
    driver: (database.kind === 'pglite' ? PgliteDriver : PostgreSqlDriver) as typeof PostgreSqlDriver,
    driverOptions: database.app as never,
    dbName: 'socle',
    entities: plugins.flatMap((plugin) => plugin.entities ?? []),
    filters: {
      workspace: { cond: ({ workspace }: { workspace: string }) => ({ workspace }), default: true, args: true },
    },
    subscribers: [new WriteFence(() => catalog)],
    allowGlobalContext: false,
    // The connections are ours and open already.
    ensureDatabase: false,
    logger: (message) => log.debug(message),
  })
  const catalog = new Catalog(plugins, orm.getMetadata())
  const events = new EventCatalog([
    ...plugins.flatMap(({ emits = [] }) => emits),
    ...catalog.all().flatMap(({ id }) => [...recordEvents(id), ...mergeEvents(id)]),
  ])
  return { plugins, orm, catalog, events }
}
