import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { Context } from '../context.ts'
import type { Sql } from '../database/database.ts'
import type { JobDefinition } from '../plugins/define-plugin.ts'
import { forgottenAfter } from './sign-in-delay.ts'

/**
 * Takes away what the door kept and nobody will ask for again: sessions that are over, questions nobody answered, failures
 * that are forgiven. What another process takes away at the same moment is left to it.
 */
export class DoorSweep {
  readonly #owner: Sql
  readonly #clock: Clock
  readonly #log: Logger

  constructor({ owner, clock, log }: { owner: Sql; clock: Clock; log: Logger }) {
    this.#owner = owner
    this.#clock = clock
    this.#log = log
  }

  async run(): Promise<void> {
    const now = this.#clock.now()
    const at = sql`${now.toISOString()}::timestamptz`
    const forgotten = sql`${new Date(now.getTime() - forgottenAfter * 1_000).toISOString()}::timestamptz`
    try {
      await sql`
        delete from core.session where id in (
          select id from core.session where expires_at <= ${at} for update skip locked)`.execute(this.#owner)
      await sql`
        delete from core.verification where id in (
          select id from core.verification where expires_at <= ${at} for update skip locked)`.execute(this.#owner)
      await sql`
        delete from core.sign_in_failure where key in (
          select key from core.sign_in_failure where last_at < ${forgotten} for update skip locked)`.execute(
        this.#owner,
      )
    } catch (error) {
      this.#log.warn({ err: error }, 'what the door no longer needs was not taken away; the next night tries again')
    }
  }
}

/** Every night. The door is every workspace's, and no unit of work of one has a right to it: it is done beside. */
export const nightlyDoorSweep = (sweep: () => Promise<void>): JobDefinition => ({
  id: 'door-sweep',
  schedule: '15 3 * * *',
  async run(ctx: Context) {
    ctx.afterCommit(() => void sweep())
  },
})
