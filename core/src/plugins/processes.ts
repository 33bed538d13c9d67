import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Database } from '../database/database.ts'
import type { Generation } from './generation.ts'

const beatEvery = 2_000
const followSeconds = 12

/** Seconds after its last sign of life from which on a process counts as dead. */
export const deadAfterSeconds = 30

/** This process among those of the installation: it gives a sign of life, and with it looks for what it was not told. */
export class Processes {
  readonly id = randomUUID()
  readonly #database: Database
  readonly #generation: Generation
  readonly #log: Logger
  #registered: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined

  constructor({ database, generation, log }: { database: Database; generation: Generation; log: Logger }) {
    this.#database = database
    this.#generation = generation
    this.#log = log
  }

  /** Once for all who need to be known as alive. */
  async register(): Promise<void> {
    this.#registered ??= this.#begin()
    return this.#registered
  }

  /**
   * Waits until every other process that gives a sign of life has followed as far as this one. One that does not within some
   * seconds is out of service by then, and runs nothing any more.
   */
  async followed(): Promise<void> {
    const until = performance.now() + followSeconds * 1_000
    for (;;) {
      const { rows } = await sql`
        select from core.process where id <> ${this.id}::uuid and seen_at > now() - make_interval(secs => ${followSeconds})
          and applied_generation < ${this.#generation.applied}::bigint limit 1`.execute(this.#database.owner)
      if (rows.length === 0 || performance.now() > until) return
      await pause(250)
    }
  }

  async stop(): Promise<void> {
    if (!this.#registered) return
    clearInterval(this.#timer)
    await this.#beating
    await sql`delete from core.process where id = ${this.id}::uuid`.execute(this.#database.owner).catch(() => {})
  }

  async #begin(): Promise<void> {
    await this.#sign()
    // By the database's clock, which all of them share; rows of the long dead tell nobody anything.
    await sql`delete from core.process where seen_at < now() - interval '1 hour'`.execute(this.#database.owner)
    this.#timer = setInterval(() => {
      this.#beating ??= this.#beat().finally(() => {
        this.#beating = undefined
      })
    }, beatEvery)
    this.#timer.unref()
  }

  async #beat(): Promise<void> {
    try {
      await this.#generation.follow()
      await this.#sign()
    } catch (error) {
      this.#log.error({ err: error }, 'a sign of life could not be given')
    }
  }

  async #sign(): Promise<void> {
    await sql`
      insert into core.process (id, role, applied_generation, started_at, seen_at)
      values (${this.id}::uuid, 'server', ${this.#generation.applied}::bigint, now(), now())
      on conflict (id) do update set applied_generation = excluded.applied_generation, seen_at = excluded.seen_at`.execute(
      this.#database.owner,
    )
  }
}
