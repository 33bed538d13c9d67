import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Sql } from '../database/database.ts'
import { placeOf } from './addresses.ts'
import { questionsDelayed, signInDelayed } from './errors.ts'
import { foldedEmail } from './folded-email.ts'
import { hashed } from './hashed.ts'

interface Bucket {
  readonly key: string
  /** Attempts before the first wait. */
  readonly free: number
  /** What waits: where the attempt comes from, or the account for all who are not known. */
  readonly by: 'source' | 'account'
}

/** Where an attempt comes from. */
export interface Source {
  readonly address: string | undefined
  /** A browser or session that is known to be the person's; undefined where none is. */
  readonly device?: string | undefined
}

/** Longest wait, seconds. */
const longest = 900
/** Questions that one place may ask, and in how many seconds: a large office behind one address signs in every morning. */
const mostQuestions = 300
const questionSeconds = 600
/** After this long without an attempt a bucket starts anew, seconds. */
export const forgottenAfter = 86_400

/**
 * Makes whoever fails to sign in wait longer each time: 1, 2, 4 … seconds, 15 minutes at most.
 *
 * One person mistyping on one machine waits first; guessing one password on many accounts, or one account from many
 * machines, later. A browser in which the person has signed in before waits for its own failures alone: nobody who guesses
 * elsewhere keeps them out. An attempt is counted before the password is looked at: a hundred tries at the same moment are
 * still one try.
 */
export class SignInDelay {
  readonly #owner: Sql
  readonly #clock: Clock

  constructor(owner: Sql, clock: Clock) {
    this.#owner = owner
    this.#clock = clock
  }

  /** @throws `SIGN_IN_DELAYED` (429) with `retryAfter`, in seconds, in its extras */
  async begin(who: string, source: Source): Promise<void> {
    for (const bucket of bucketsOf(who, source)) await this.#take(bucket)
  }

  /** The password was right: what came before was mistyping. */
  async succeed(who: string, source: Source): Promise<void> {
    const [first, second, place] = bucketsOf(who, source)
    await sql`delete from core.sign_in_failure where key in (${first?.key}, ${second?.key})`.execute(this.#owner)
    if (!place) return
    await sql`update core.sign_in_failure set failures = failures - 1, blocked_until = last_at where key = ${place.key}`.execute(
      this.#owner,
    )
  }

  /**
   * Counts a sign-in that begins with a question of ours, which costs a row and maybe a request to somebody else: whatever
   * becomes of it, one place asks so many in ten minutes and no more.
   *
   * @throws `QUESTIONS_DELAYED` (429) with `retryAfter`, in seconds, in its extras
   */
  async ask(address: string | undefined): Promise<void> {
    const now = this.#clock.now()
    const at = sql`${now.toISOString()}::timestamptz`
    const isOver = sql`f.last_at <= ${at} - make_interval(secs => ${questionSeconds}::int)`
    const { rows } = await sql<{ failures: number; since: string }>`
      insert into core.sign_in_failure as f (key, failures, last_at, blocked_until)
      values (${hashed(`questions ${address === undefined ? '' : placeOf(address)}`)}, 1, ${at}, ${at})
      on conflict (key) do update set failures = case when ${isOver} then 1 else f.failures + 1 end,
        last_at = case when ${isOver} then ${at} else f.last_at end
      returning failures, last_at as since`.execute(this.#owner)
    const { failures, since } = rows[0]!
    if (failures <= mostQuestions) return
    const seconds = Math.max(1, Math.ceil((Date.parse(since) - now.getTime()) / 1000) + questionSeconds)
    throw questionsDelayed({ seconds }, { retryAfter: seconds })
  }

  async #take({ key, free, by }: Bucket): Promise<void> {
    const now = this.#clock.now()
    const at = sql`${now.toISOString()}::timestamptz`
    const count = sql`case when f.last_at < ${at} - make_interval(secs => ${forgottenAfter}::int) then 1 else f.failures + 1 end`
    const { rows } = await sql`
      insert into core.sign_in_failure as f (key, failures, last_at, blocked_until) values (${key}, 1, ${at}, ${at})
      on conflict (key) do update set failures = ${count}, last_at = ${at},
        blocked_until = ${at} + make_interval(secs => case when ${count} < ${free}::int then 0 else least(${longest}::int, power(2, least(${count} - ${free}::int, 20))) end)
      where f.blocked_until <= ${at}
      returning f.key`.execute(this.#owner)
    if (rows.length > 0) return
    const blocked = await sql<{
      until: string
    }>`select blocked_until as until from core.sign_in_failure where key = ${key}`.execute(this.#owner)
    const until = Date.parse(blocked.rows[0]?.until ?? now.toISOString())
    const seconds = Math.max(1, Math.ceil((until - now.getTime()) / 1000))
    throw signInDelayed({ seconds, by }, { retryAfter: seconds })
  }
}

/** By what an attempt is counted. */
function bucketsOf(who: string, { address, device }: Source): Bucket[] {
  const folded = foldedEmail(who)
  if (device !== undefined)
    return [
      { key: hashed(`device ${folded} ${device}`), free: 4, by: 'source' },
      // Whoever once had the password could have made many a browser known.
      { key: hashed(`devices ${folded}`), free: 100, by: 'source' },
    ]
  const where = address === undefined ? undefined : placeOf(address)
  return [
    { key: hashed(`pair ${folded} ${where ?? ''}`), free: 4, by: 'source' },
    { key: hashed(`person ${folded}`), free: 20, by: 'account' },
    ...(where === undefined ? [] : [placeBucket(where)]),
  ]
}

const placeBucket = (where: string): Bucket => ({ key: hashed(`place ${where}`), free: 50, by: 'source' })
