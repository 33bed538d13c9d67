import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Database } from '../database/database.ts'
import type { Signals } from '../database/signals.ts'

/** Longest that a process may run what is no longer so before it is taken out of service. */
const longestBehind = 10_000

/**
 * How far this process has followed what was installed, switched and taken away: a number every such act raises.
 *
 * It is asked for when another process says so, and every two seconds, for what was said may be lost.
 */
export class Generation {
  readonly #database: Database
  readonly #signals: Signals
  readonly #log: Logger
  readonly #steps: (() => Promise<void>)[] = []
  #applied = 0
  /** When it was last known to be in step; undefined before `start`. */
  #inStepAt: number | undefined
  #following: Promise<void> | undefined
  #again = false
  #stop: (() => void) | undefined

  constructor({ database, signals, log }: { database: Database; signals: Signals; log: Logger }) {
    this.#database = database
    this.#signals = signals
    this.#log = log
  }

  /** The number this process has followed to. */
  get applied(): number {
    return this.#applied
  }

  /** Runs before a new number counts as followed, also once at the start; run again after it failed. */
  attach(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  async start(): Promise<void> {
    this.#inStepAt = performance.now()
    this.#stop = this.#signals.on(({ kind }) => {
      if (kind === 'plugins') void this.follow()
    })
    await this.follow()
  }

  stop(): void {
    this.#stop?.()
    this.#inStepAt = undefined
  }

  /** Whether what this process runs is too old to answer with. */
  get isBehind(): boolean {
    return this.#inStepAt !== undefined && performance.now() - this.#inStepAt > longestBehind
  }

  /** Comes to the newest number; never throws, for the next look tries again. */
  async follow(): Promise<void> {
    this.#again = true
    this.#following ??= this.#followWhileAsked().finally(() => {
      this.#following = undefined
    })
    return this.#following
  }

  /** Was not told: whoever keeps something of what is on looks again. */
  async look(): Promise<void> {
    const before = this.#applied
    await this.follow()
    if (this.#applied !== before) this.#signals.here({ kind: 'plugins' })
  }

  async #followWhileAsked(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        const { rows } = await sql<{ value: number }>`select value from core.generation`.execute(this.#database.owner)
        const value = rows[0]?.value ?? 0
        if (value !== this.#applied) for (const step of this.#steps) await step()
        this.#applied = value
        if (this.#inStepAt !== undefined) this.#inStepAt = performance.now()
      } catch (error) {
        this.#log.error({ err: error }, 'what is installed and on could not be followed')
      }
    }
  }
}
