import { createHash } from 'node:crypto'
import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely'
import type pg from 'pg'
import { appRole, openingStatements, refuseInsideUnit } from './session.ts'
import { guardStatement } from './statement-guard.ts'

// Unnamed statements are planned at every execution. A name is given at a statement's second use, and to at most this
// many of them, so that one-off filters do not pile up in the server's memory.
const nameLimit = 600
const seen = new Map<string, string | undefined>()
let named = 0

function statementName(sql: string): string | undefined {
  if (!seen.has(sql)) {
    if (seen.size > 10_000) seen.clear()
    seen.set(sql, undefined)
    return undefined
  }
  let name = seen.get(sql)
  if (name === undefined && named < nameLimit) {
    name = `s${createHash('sha1').update(sql).digest('hex').slice(0, 20)}`
    seen.set(sql, name)
    named += 1
  }
  return name
}

class PostgresConnection implements DatabaseConnection {
  readonly client: pg.PoolClient
  readonly #guarded: boolean
  /** A connection whose transaction could not be ended is not given to anybody else. */
  broken: Error | undefined

  constructor(client: pg.PoolClient, guarded: boolean) {
    this.client = client
    this.#guarded = guarded
  }

  async run(statements: string): Promise<void> {
    await this.client.query(statements)
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#guarded) guardStatement(query.sql)
    const values = [...query.parameters]
    const name = values.length > 0 ? statementName(query.sql) : undefined
    const config = values.length > 0 ? { text: query.sql, values, ...(name === undefined ? {} : { name }) } : query.sql
    const result = (await this.client.query(config)) as pg.QueryResult | pg.QueryResult[]
    const last = Array.isArray(result) ? result.at(-1) : result
    return { rows: (last?.rows ?? []) as R[], numAffectedRows: BigInt(last?.rowCount ?? 0) }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }
}

class PostgresDriver implements Driver {
  readonly #pool: pg.Pool
  readonly #as: 'app' | 'owner'
  readonly #prepared = new WeakSet<pg.PoolClient>()

  constructor(pool: pg.Pool, as: 'app' | 'owner') {
    this.#pool = pool
    this.#as = as
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    refuseInsideUnit()
    const client = await this.#pool.connect()
    if (!this.#prepared.has(client)) {
      try {
        // Compiling a plan pays on scans of minutes; on short EXISTS filters it costs ten times their work.
        await client.query(`set time zone 'UTC'; set jit = off${this.#as === 'app' ? `; set role ${appRole}` : ''}`)
      } catch (error) {
        client.release(true)
        throw error
      }
      this.#prepared.add(client)
    }
    return new PostgresConnection(client, this.#as === 'app')
  }

  async beginTransaction(connection: PostgresConnection): Promise<void> {
    await connection.run(this.#as === 'app' ? openingStatements() : 'begin')
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    await this.#end(connection, 'commit')
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await this.#end(connection, 'rollback')
  }

  async #end(connection: PostgresConnection, statement: string): Promise<void> {
    try {
      await connection.run(statement)
    } catch (error) {
      connection.broken = error as Error
      throw error
    }
  }

  async savepoint(connection: PostgresConnection, name: string): Promise<void> {
    await connection.run(`savepoint "${name}"`)
  }

  async rollbackToSavepoint(connection: PostgresConnection, name: string): Promise<void> {
    await connection.run(`rollback to savepoint "${name}"`)
  }

  async releaseSavepoint(connection: PostgresConnection, name: string): Promise<void> {
    await connection.run(`release savepoint "${name}"`)
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.client.release(connection.broken)
  }

  async destroy(): Promise<void> {
    await this.#pool.end()
  }
}

/** Kysely on a pool of server connections, each bound to the application's role unless it is the owner's. */
export function postgresDialect(pool: pg.Pool, as: 'app' | 'owner'): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresDriver(pool, as),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}
