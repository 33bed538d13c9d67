import { sql } from 'kysely'
import type { Sql } from './database.ts'

/** A server's own upkeep, where it is on, looks once a minute; bulk work fills an empty table in less. */
const pauseMilliseconds = 3_000
/** Fewer changes than this mislead no plan. */
const fewChanges = 300

/**
 * Keeps what the planner knows of tables in step with bulk work. Plans are kept with their connection, and one that was
 * made while a table was empty takes any index: each chunk then costs as much as there is. New statistics have it made
 * anew in every process. PGlite has no upkeep of its own at all, and servers may have none.
 */
export class Statistics {
  readonly #owner: Sql
  #next = 0
  #keeping: Promise<void> | undefined

  constructor(owner: Sql) {
    this.#owner = owner
  }

  /** Call it often while bulk work goes on; it looks every few seconds. */
  async keepUp(): Promise<void> {
    if (this.#keeping || performance.now() < this.#next) return this.#keeping
    this.#keeping = this.refresh()
    try {
      await this.#keeping
    } finally {
      this.#keeping = undefined
      this.#next = performance.now() + pauseMilliseconds
    }
  }

  /** Looks again at each table of which half is new since it was last looked at, so that a growing one costs as often as it doubles. */
  async refresh(): Promise<void> {
    const { rows } = await sql<{ table: string }>`
      select format('%I.%I', schemaname, relname) as table from pg_stat_user_tables
      where n_mod_since_analyze > greatest(${fewChanges}::integer, n_live_tup / 2)`.execute(this.#owner)
    // Whoever looks at one already does so for all.
    for (const { table } of rows) await sql`analyze (skip_locked) ${sql.raw(table)}`.execute(this.#owner)
  }
}
