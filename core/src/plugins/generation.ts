import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Database, Sql } from '../database/database.ts'
import type { Signals } from '../database/signals.ts'
import { WhileAsked } from '../while-asked.ts'

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
  /** Numbers ahead that were one switch each, of which everybody here was told: nothing else happened with them. */
  readonly #told = new Set<number>()
  /** When it was last known to be in step; undefined before `start`. */
  #inStepAt: number | undefined
  readonly #following = new WhileAsked(() => this.#follow())
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
    this.#stop = this.#signals.on((signal) => {
      if (signal.kind === 'plugins') this.#hear(signal.switched?.generation)
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
    return this.#following.ask()
  }

  /** This process has switched a plugin itself; see `Enablement`. Where others acted meanwhile, what they did is followed too. */
  async switched(generation: number): Promise<void> {
    this.#told.add(generation)
    if (this.#following.going || generation !== this.#applied + 1) return this.follow()
    this.#came(generation)
  }

  #hear(switched: number | undefined): void {
    if (switched !== undefined) {
      if (switched <= this.#applied) return
      this.#told.add(switched)
    }
    void this.follow()
  }

  #came(to: number): void {
    this.#applied = to
    for (const generation of this.#told) if (generation <= to) this.#told.delete(generation)
  }

  /** Whether everybody here was told of each step to a number. */
  #wasTold(to: number): boolean {
    const steps = to - this.#applied
    if (steps < 0 || steps > this.#told.size) return false
    for (let step = this.#applied + 1; step <= to; step += 1) if (!this.#told.has(step)) return false
    return true
  }

  async #follow(): Promise<void> {
    try {
      const { rows } = await sql<{ value: number }>`select value from core.generation`.execute(this.#database.owner)
      const value = rows[0]?.value ?? 0
      if (value !== this.#applied) for (const step of this.#steps) await step()
      // Whoever keeps something of what is on looks again.
      if (!this.#wasTold(value)) this.#signals.here({ kind: 'plugins' })
      this.#came(value)
      if (this.#inStepAt !== undefined) this.#inStepAt = performance.now()
    } catch (error) {
      this.#log.error({ err: error }, 'what is installed and on could not be followed')
    }
  }
}

/** @returns the number that whoever follows has followed to when this transaction is kept and followed */
export async function raiseGeneration(tx: Sql): Promise<number> {
  const { rows } = await sql<{ value: number }>`update core.generation set value = value + 1 returning value`.execute(
    tx,
  )
  return rows[0]?.value ?? 0
}
