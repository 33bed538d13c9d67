import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely'
import type pg from 'pg'
import { UnlockedPostgresAdapter } from './postgres-adapter.ts'
import { appRole, lostCommit, openingStatements, opensReadonly, refuseInsideUnit } from './session.ts'
import { guardStatement } from './statement-guard.ts'

// Unnamed statements are planned at every execution. A name is given at a statement's second use, and to at most this
// many of them, so that one-off filters do not pile up in the server's memory.
const nameLimit = 600
const names = new Map<string, string>()
const seenOnce = new Set<string>()

function statementName(sql: string): string | undefined {
  const known = names.get(sql)
  if (known !== undefined || names.size >= nameLimit) return known
  if (!seenOnce.delete(sql)) {
    if (seenOnce.size > 10_000) seenOnce.clear()
    seenOnce.add(sql)
    return undefined
  }
  const name = `s${createHash('sha1').update(sql).digest('hex').slice(0, 20)}`
  names.set(sql, name)
  return name
}

/** Gathers what is written to a connection until `later` runs, so that it leaves in one packet. */
function holdWrites(client: pg.PoolClient, later: (release: () => void) => void): void {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  stream.cork()
  later(() => stream.uncork())
}

/** Statements of which nobody reads an answer: what opens a transaction has six, and `pg` would make a result of each. */
class Unanswered implements pg.Submittable {
  readonly ended: Promise<void>
  readonly #statements: string
  #end!: (error?: Error) => void

  constructor(statements: string) {
    this.#statements = statements
    this.ended = new Promise((resolve, reject) => {
      this.#end = (error) => (error ? reject(error) : resolve())
    })
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#statements)
  }

  handleRowDescription(): void {}

  handleDataRow(): void {}

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#end()
  }

  handleError(error: Error): void {
    this.#end(error)
  }
}

const endOfReading = 'commit'
/** Longest that a transaction which only read may wait for the next one to end it. */
const longestUnended = 5

/**
 * Connections whose last transaction only read and is still open: nobody waits for its end, so it travels with what
 * opens the next one, a packet and an answer less. On a connection nobody takes, it is ended after a moment.
 */
class Unended {
  readonly #ends = new WeakMap<pg.PoolClient, NodeJS.Timeout>()

  leave(client: pg.PoolClient, end: () => void): void {
    const timer = setTimeout(() => {
      this.#ends.delete(client)
      end()
    }, longestUnended)
    this.#ends.set(client, timer)
  }

  /** True when the caller is to end it. */
  take(client: pg.PoolClient): boolean {
    const timer = this.#ends.get(client)
    if (timer === undefined) return false
    clearTimeout(timer)
    return this.#ends.delete(client)
  }
}
const unended = new Unended()

class PostgresConnection implements DatabaseConnection {
  readonly client: pg.PoolClient
  readonly #guarded: boolean
  /** Statements that were sent and whose answer nobody has waited for yet. */
  #opening: Promise<unknown> | undefined
  /** The transaction only reads: its end can fail nobody. */
  readonly = false
  /** A connection whose transaction could not be ended is not given to anybody else. */
  broken: Error | undefined

  constructor(client: pg.PoolClient, guarded: boolean) {
    this.client = client
    this.#guarded = guarded
  }

  /** Of the server's process behind it. */
  get pid(): number {
    return (this.client as unknown as { processID: number }).processID
  }

  /**
   * Sends what opens a transaction, together with the statement that follows in the same turn: a round trip less.
   * Should it fail, that statement runs in no open transaction or an aborted one, and the failure is thrown with it.
   */
  open(statements: string): void {
    holdWrites(this.client, (release) => process.nextTick(release))
    this.#opening = this.#send(unended.take(this.client) ? `${endOfReading}; ${statements}` : statements)
  }

  /** Leaves the end of a transaction that only read to whoever takes the connection next; see `Unended`. */
  close(): void {
    unended.leave(this.client, () => void this.#send(endOfReading))
  }

  #send(statements: string): Promise<unknown> {
    const { ended: sent } = this.client.query(new Unanswered(statements))
    // Whoever waits for it hears of the failure; a broken connection tells its pool by itself.
    sent.catch(() => {})
    return sent
  }

  async run(statements: string): Promise<void> {
    await this.#afterOpening(this.client.query(statements))
  }

  /** Commits, or throws: PostgreSQL answers the COMMIT of a failed transaction with a silent ROLLBACK. */
  async commit(): Promise<void> {
    const { command } = await this.#afterOpening(this.client.query('commit'))
    if (command === 'ROLLBACK') throw new Error(lostCommit)
  }

  async #afterOpening<T>(answer: Promise<T>): Promise<T> {
    const opening = this.#opening
    if (!opening) return answer
    this.#opening = undefined
    const [, result] = await Promise.all([opening, answer])
    return result
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#guarded) guardStatement(query.sql)
    if (unended.take(this.client)) this.open(endOfReading)
    const values = [...query.parameters]
    const name = values.length > 0 ? statementName(query.sql) : undefined
    const config = values.length > 0 ? { text: query.sql, values, ...(name === undefined ? {} : { name }) } : query.sql
    const result = (await this.#afterOpening(this.client.query(config))) as pg.QueryResult | pg.QueryResult[]
    // A script answers once for each statement; the job queue reads the rows of every one.
    const results = [result].flat()
    return {
      rows: (results.length === 1 ? results[0]!.rows : results.flatMap(({ rows }) => rows)) as R[],
      numAffectedRows: BigInt(results.at(-1)?.rowCount ?? 0),
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }
}

/** Has the server give up what one of its processes runs. */
export type Cancel = (pid: number) => Promise<void>

/** Milliseconds that a rollback may wait for the statement before it. */
const longestRollback = 1_000

class PostgresDriver implements Driver {
  readonly #pool: pg.Pool
  readonly #as: 'app' | 'owner'
  readonly #cancel: Cancel
  readonly #prepared = new WeakSet<pg.PoolClient>()

  constructor(pool: pg.Pool, as: 'app' | 'owner', cancel: Cancel) {
    this.#pool = pool
    this.#as = as
    this.#cancel = cancel
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
    connection.readonly = this.#as === 'app' && opensReadonly()
    connection.open(this.#as === 'app' ? openingStatements() : 'begin')
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    if (connection.readonly) connection.close()
    else await ended(connection, connection.commit())
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    const rolledBack = ended(connection, connection.run('rollback'))
    // It waits behind a statement that runs. One whose work was broken off is not to keep connection and locks until it is done.
    const patience = setTimeout(() => {
      connection.broken = new Error('What it ran was cancelled.')
      this.#cancel(connection.pid).catch(() => {})
    }, longestRollback)
    await rolledBack.finally(() => clearTimeout(patience))
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

async function ended(connection: PostgresConnection, ending: Promise<void>): Promise<void> {
  try {
    await ending
  } catch (error) {
    connection.broken = error as Error
    throw error
  }
}

/** Kysely on a pool of pipelining connections, each bound to the application's role unless it is the owner's. */
export function postgresDialect(pool: pg.Pool, as: 'app' | 'owner', cancel: Cancel): Dialect {
  return {
    createAdapter: () => new UnlockedPostgresAdapter(),
    createDriver: () => new PostgresDriver(pool, as, cancel),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}
