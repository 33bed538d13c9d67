import { sql } from 'kysely'
import type { Database, Sql } from '../database/database.ts'
import { operationLost, pluginBusy } from './errors.ts'
import { deadAfterSeconds, type Processes } from './processes.ts'

export type OperationKind =
  'enable' | 'disable' | 'quarantine' | 'install' | 'upgrade' | 'uninstall' | 'clear' | 'restore'

export interface OperationRequest {
  readonly operation: OperationKind
  /** Plugins it is about; all of them are taken, or none. */
  readonly plugins: readonly string[]
  /** Whose administrator asks, and may be told by whom a plugin is held; absent for the installation itself. */
  readonly workspace?: string | undefined
  /** User who asks; the platform itself when absent. */
  readonly by?: string | undefined
}

/** An operation in hand. */
export interface Held {
  /**
   * Call it in the transaction that puts the operation's outcome in force.
   *
   * @throws `OPERATION_LOST` when this process was taken for dead meanwhile, and others may be at it
   */
  keep(tx: Sql): Promise<void>
}

/** One operation on a plugin at a time over all processes; that of a process that died is nobody's. */
export class Operations {
  readonly #database: Database
  readonly #processes: Processes

  constructor({ database, processes }: { database: Database; processes: Processes }) {
    this.#database = database
    this.#processes = processes
  }

  /** @throws `PLUGIN_BUSY` with who is at it and since when */
  async run<T>(request: OperationRequest, work: (held: Held) => Promise<T>): Promise<T> {
    await this.#processes.register()
    const { plugins } = request
    const mark = await this.#take(request)
    const ours = sql`plugin = any(${[...plugins]}::text[]) and process = ${this.#processes.id}::uuid and since = ${mark}::timestamptz`
    try {
      return await work({
        async keep(tx) {
          const { rows } = await sql`select 1 from core.plugin_operation where ${ours} for update`.execute(tx)
          if (rows.length < plugins.length) throw operationLost({ plugin: plugins.join(', ') })
        },
      })
    } finally {
      await sql`delete from core.plugin_operation where ${ours}`.execute(this.#database.owner)
    }
  }

  /** @returns instant of its taking, with the process the operation's name */
  async #take({ operation, plugins, workspace, by }: OperationRequest): Promise<string> {
    return await this.#database.owner.transaction().execute(async (tx) => {
      // Two that want the same plugins meet at the first of them. What was taken just now is held by somebody alive.
      const { rows } = await sql<{ plugin: string; since: string }>`
        insert into core.plugin_operation (plugin, operation, by_user, by_name, process, since)
        select plugin, ${operation}, ${by ?? null}::uuid,
          coalesce((select m.name from core.member m where m.workspace = ${workspace ?? null}::uuid and m.id = ${by ?? null}::uuid), 'Socle'),
          ${this.#processes.id}::uuid, date_trunc('milliseconds', now())
        from unnest(${[...plugins]}::text[]) as plugin order by plugin
        on conflict (plugin) do update set operation = excluded.operation, by_user = excluded.by_user,
          by_name = excluded.by_name, process = excluded.process, since = excluded.since
          where core.plugin_operation.since < now() - make_interval(secs => ${deadAfterSeconds})
            and not exists (select from core.process p where p.id = core.plugin_operation.process
              and p.seen_at > now() - make_interval(secs => ${deadAfterSeconds}))
        returning plugin, since`.execute(tx)
      const taken = rows.map(({ plugin }) => plugin)
      if (taken.length < plugins.length)
        throw await busy(
          tx,
          plugins.filter((it) => !taken.includes(it)),
          { workspace },
        )
      return rows[0]?.since ?? ''
    })
  }
}

/**
 * Who is at one of these plugins. Another company's people are nobody's business.
 *
 * @param options.otherwise - what is told where nobody holds one at this moment
 */
export async function busy(
  tx: Sql,
  plugins: readonly string[],
  {
    workspace,
    otherwise = { operation: 'enable', since: '' },
  }: {
    readonly workspace: string | undefined
    readonly otherwise?: { readonly operation: OperationKind; readonly since: string }
  },
) {
  const { rows } = await sql<{ plugin: string; operation: string; since: string; by: string | null }>`
    select o.plugin, o.operation, o.since,
      case when o.by_user is null then o.by_name else (
        select m.name from core.member m where m.workspace = ${workspace ?? null}::uuid and m.id = o.by_user) end as by
    from core.plugin_operation o where o.plugin = any(${[...plugins]}::text[]) order by o.since limit 1`.execute(tx)
  const [it] = rows
  const { plugin = plugins[0] ?? '', operation, since } = it ?? { plugin: plugins[0], ...otherwise }
  return pluginBusy({ plugin, operation, by: it?.by ?? 'Socle', since }, { operation, since })
}
