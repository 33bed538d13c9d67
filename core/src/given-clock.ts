import { sql } from 'kysely'
import { DateTime, Duration } from 'luxon'
import { dateIn, type Clock } from './clock.ts'
import type { Database } from './database/database.ts'

/** What a clock is told; what is left out stays. */
export interface ClockOrder {
  readonly now?: Date | undefined
  /** ISO 8601: `PT30M`, `P1D`. */
  readonly advance?: string | undefined
  /** Whether it stands from here on. */
  readonly frozen?: boolean | undefined
}

interface Given {
  readonly instant: number
  readonly givenAt: number
  readonly frozen: boolean
}

const followMilliseconds = 100

/** A clock for tests of a running platform: it shows the time it was given, and every process follows. */
export class GivenClock implements Clock {
  readonly #database: Pick<Database, 'owner'>
  #given: Given | undefined
  #following: NodeJS.Timeout | undefined

  constructor(database: Pick<Database, 'owner'>) {
    this.#database = database
  }

  get frozen(): boolean {
    return this.#given?.frozen ?? false
  }

  now(): Date {
    const { instant, givenAt, frozen } = this.#given ?? { instant: 0, givenAt: 0, frozen: false }
    return new Date(frozen ? instant : instant + (Date.now() - givenAt))
  }

  today(zone: string): string {
    return dateIn(zone, this.now())
  }

  async give({ now = this.now(), advance, frozen = this.frozen }: ClockOrder): Promise<void> {
    const instant =
      advance === undefined ? now : DateTime.fromJSDate(now, { zone: 'utc' }).plus(Duration.fromISO(advance)).toJSDate()
    await sql`
      insert into core.test_clock (instant, given_at, frozen)
      values (${instant.toISOString()}::timestamptz, ${new Date().toISOString()}::timestamptz, ${frozen})
      on conflict (only_one) do update set instant = excluded.instant, given_at = excluded.given_at, frozen = excluded.frozen`.execute(
      this.#database.owner,
    )
    await this.follow()
  }

  /** Takes the time that any process was given. */
  async follow(): Promise<void> {
    const { rows } = await sql<{ instant: Date; given_at: Date; frozen: boolean }>`
      select instant, given_at, frozen from core.test_clock`.execute(this.#database.owner)
    this.#given = rows.map(({ instant, given_at, frozen }) => ({
      instant: new Date(instant).getTime(),
      givenAt: new Date(given_at).getTime(),
      frozen,
    }))[0]
  }

  start(): void {
    // What could not be read is read a moment later.
    this.#following = setInterval(() => void this.follow().catch(() => {}), followMilliseconds)
    this.#following.unref()
  }

  stop(): void {
    clearInterval(this.#following)
  }
}
