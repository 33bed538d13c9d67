import { mkdirSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import { btree_gist } from '@electric-sql/pglite/contrib/btree_gist'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { unaccent } from '@electric-sql/pglite/contrib/unaccent'
import { Kysely, sql } from 'kysely'
import pg from 'pg'
import { pgliteDialect } from './pglite-dialect.ts'
import { postgresDialect } from './postgres-dialect.ts'
import { appRole, asUnit, beginIn, type SessionContext } from './session.ts'
import { typeParsers } from './types.ts'
import { whenAborted } from '../when-aborted.ts'

/** Tables are named in SQL text and checked by the database; their shapes live in the entities. */
// oxlint-disable-next-line no-explicit-any
export type Sql = Kysely<any>

/** The one way to the data: `app` is bound by row level security, `owner` serves sign-in, migrations and the kernel. */
export interface Database {
  readonly kind: 'pglite' | 'postgres'
  /** Transactions of the application that may be open at a time in this process. */
  readonly connections: number
  /** Connections of the non-owner role. Outside a transaction they see no workspace at all. */
  readonly app: Sql
  /** Connections of the tables' owner. Never inside a unit of work. */
  readonly owner: Sql
  /**
   * One transaction as the application's role, with the context row level security reads.
   *
   * @param signal - rolls it back when it is aborted, whatever the work still waits for, and throws its reason
   */
  transaction<T>(context: SessionContext, work: (tx: Sql) => Promise<T>, signal?: AbortSignal): Promise<T>
  /**
   * Listens to a channel of the server until the returned function is called; `again` runs after a connection that was lost,
   * with whatever was said meanwhile, is there anew. An embedded database has one process: no channel.
   */
  listen(channel: string, hear: (payload: string) => void, again?: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

const pgliteOptions = {
  extensions: { unaccent, pg_trgm, btree_gist },
  parsers: typeParsers as Record<number, (text: string) => unknown>,
}

/** Opens or makes an embedded database in `folder`; in memory without one. */
export async function openPGlite(folder?: string, snapshot?: Blob): Promise<PGlite> {
  if (folder !== undefined) mkdirSync(folder, { recursive: true })
  return PGlite.create({
    ...pgliteOptions,
    ...(folder === undefined ? {} : { dataDir: folder }),
    ...(snapshot === undefined ? {} : { loadDataDir: snapshot }),
  })
}

function handles(app: Sql, owner: Sql): Pick<Database, 'app' | 'owner' | 'transaction'> {
  return {
    app,
    owner,
    async transaction(context, work, signal) {
      signal?.throwIfAborted()
      const over = signal && whenAborted(signal)
      const beginning = beginIn(context, () => app.startTransaction().execute())
      const tx = await (over ? Promise.race([beginning, over]) : beginning).catch((error: unknown) => {
        // Whoever left while all connections were taken is not given one later.
        void beginning.then((late) => late.rollback().execute()).catch(() => {})
        throw error
      })
      try {
        const result = await asUnit(() => (over ? Promise.race([work(tx), over]) : work(tx)))
        await tx.commit().execute()
        return result
      } catch (error) {
        // A rollback that fails too must not hide why the work failed.
        if (!tx.isCommitted)
          await tx
            .rollback()
            .execute()
            .catch(() => {})
        throw error
      }
    },
  }
}

/** The database inside this process: right for a trial, a laptop and tests. */
export async function embeddedDatabase(pglite: PGlite): Promise<Database> {
  await pglite.exec(`set time zone 'UTC'; ${createAppRole}`)
  const app: Sql = new Kysely({ dialect: pgliteDialect(pglite, 'app') })
  const owner: Sql = new Kysely({ dialect: pgliteDialect(pglite, 'owner') })
  return {
    kind: 'pglite',
    connections: 1,
    ...handles(app, owner),
    listen: async () => async () => {},
    close: async () => {
      await pglite.close()
    },
  }
}

/** A PostgreSQL server, 15 or later, by its connection string. */
export async function serverDatabase(
  url: string,
  { connections = 10 }: { connections?: number } = {},
): Promise<Database> {
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') => typeParsers[oid] ?? pg.types.getTypeParser(oid, format),
  }
  const pool = (max: number) => {
    const made = new pg.Pool({ connectionString: url, max, types: types as never, pipeline: true })
    // A server that restarts breaks idle connections; the pool replaces them, and the next query tells the caller.
    made.on('error', () => {})
    return made
  }
  const cancel = async (pid: number) => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    try {
      await client.query('select pg_cancel_backend($1)', [pid])
    } finally {
      await client.end()
    }
  }
  const owner: Sql = new Kysely({
    dialect: postgresDialect(pool(Math.max(2, Math.ceil(connections / 2))), 'owner', cancel),
  })
  await sql.raw(createAppRole).execute(owner)
  const app: Sql = new Kysely({ dialect: postgresDialect(pool(connections), 'app', cancel) })
  const ears = new Set<() => Promise<void>>()
  return {
    kind: 'postgres',
    connections,
    ...handles(app, owner),
    async listen(channel, hear, again) {
      let stopped = false
      let client: pg.Client | undefined
      const connect = async (): Promise<void> => {
        client = new pg.Client({ connectionString: url })
        client.on('notification', ({ payload }) => hear(payload ?? ''))
        client.on('error', () => {})
        client.once('end', () => {
          if (!stopped) setTimeout(() => void reconnect(), 500).unref()
        })
        await client.connect()
        await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      }
      const reconnect = async (): Promise<void> => {
        try {
          await connect()
          again?.()
        } catch {
          // A client that never was connected ends too, and with that comes the next attempt.
        }
      }
      await connect()
      const stop = async () => {
        stopped = true
        ears.delete(stop)
        await client?.end()
      }
      ears.add(stop)
      return stop
    },
    async close() {
      await Promise.all([...ears].map((stop) => stop()))
      await app.destroy()
      await owner.destroy()
    },
  }
}

// Roles belong to the whole server, so two first starts may race; the loser finds the role made.
const createAppRole = `do $$ begin
  if not exists (select from pg_roles where rolname = '${appRole}') then create role ${appRole} nologin; end if;
  exception when duplicate_object or unique_violation then null;
end $$;
do $$ begin
  if not pg_has_role(current_user, '${appRole}', 'member') then execute format('grant ${appRole} to %I', current_user); end if;
end $$`
