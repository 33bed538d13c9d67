import type { PGlite } from '@electric-sql/pglite'
import {
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely'
import { UnlockedPostgresAdapter } from './postgres-adapter.ts'
import { appRole, lostCommit, openingStatements, refuseInsideUnit } from './session.ts'
import { guardStatement } from './statement-guard.ts'

/** Hands the only connection of an embedded database to one holder after the other. */
class Turnstile {
  #last: Promise<void> = Promise.resolve()

  async enter(): Promise<() => void> {
    const before = this.#last
    let leave!: () => void
    this.#last = new Promise((resolve) => {
      leave = resolve
    })
    await before
    return leave
  }
}

const turnstiles = new WeakMap<PGlite, Turnstile>()

function turnstileOf(pglite: PGlite): Turnstile {
  let turnstile = turnstiles.get(pglite)
  if (!turnstile) turnstiles.set(pglite, (turnstile = new Turnstile()))
  return turnstile
}

class PGliteConnection implements DatabaseConnection {
  readonly #pglite: PGlite
  readonly #guarded: boolean
  leave: () => void = () => {}

  constructor(pglite: PGlite, guarded: boolean) {
    this.#pglite = pglite
    this.#guarded = guarded
  }

  async run(statements: string): Promise<void> {
    await this.#pglite.exec(statements)
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#guarded) guardStatement(query.sql)
    // The extended protocol takes one statement; scripts without parameters go the simple way.
    if (query.parameters.length === 0 && query.sql.includes(';')) {
      const results = await this.#pglite.exec(query.sql)
      // The job queue reads the rows of every statement of its scripts.
      return { rows: results.flatMap(({ rows }) => rows) as R[] }
    }
    const result = await this.#pglite.query<R>(query.sql, [...query.parameters])
    return { rows: result.rows, numAffectedRows: BigInt(result.affectedRows ?? 0) }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    // One connection and no cursors: the rows come at once. Streams over large tables page by key instead.
    yield await this.executeQuery<R>(query)
  }
}

class PGliteDriver implements Driver {
  readonly #pglite: PGlite
  readonly #as: 'app' | 'owner'

  constructor(pglite: PGlite, as: 'app' | 'owner') {
    this.#pglite = pglite
    this.#as = as
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PGliteConnection> {
    refuseInsideUnit()
    const connection = new PGliteConnection(this.#pglite, this.#as === 'app')
    connection.leave = await turnstileOf(this.#pglite).enter()
    // PGlite connects as superuser, whom even forced row level security does not bind.
    await this.#pglite.exec(`set role ${this.#as === 'app' ? appRole : 'none'}`)
    return connection
  }

  async beginTransaction(connection: PGliteConnection): Promise<void> {
    await connection.run(this.#as === 'app' ? openingStatements() : 'begin')
  }

  async commitTransaction(connection: PGliteConnection): Promise<void> {
    try {
      // In a failed transaction COMMIT would roll back and say nothing; any other statement throws.
      await connection.run('select 1')
    } catch (error) {
      throw new Error(lostCommit, { cause: error })
    }
    await connection.run('commit')
  }

  async rollbackTransaction(connection: PGliteConnection): Promise<void> {
    await connection.run('rollback')
  }

  async savepoint(connection: PGliteConnection, name: string): Promise<void> {
    await connection.run(`savepoint "${name}"`)
  }

  async rollbackToSavepoint(connection: PGliteConnection, name: string): Promise<void> {
    await connection.run(`rollback to savepoint "${name}"`)
  }

  async releaseSavepoint(connection: PGliteConnection, name: string): Promise<void> {
    await connection.run(`release savepoint "${name}"`)
  }

  async releaseConnection(connection: PGliteConnection): Promise<void> {
    connection.leave()
  }

  async destroy(): Promise<void> {}
}

/** Kysely on an embedded PostgreSQL whose one connection the application and its owner take in turn. */
export function pgliteDialect(pglite: PGlite, as: 'app' | 'owner'): Dialect {
  return {
    createAdapter: () => new UnlockedPostgresAdapter(),
    createDriver: () => new PGliteDriver(pglite, as),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}
