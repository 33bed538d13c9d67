import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { JobDefinition } from '../plugins/define-plugin.ts'
import { idempotencyKeyReused, secretShownOnce } from './problem.ts'

/** What a route answered: enough to answer the same again. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One request, as its repeats are known by. */
interface Repeatable {
  readonly key: string | undefined
  readonly request: string
  /** Its answer is shown once: kept is only that it was done. */
  readonly secret?: boolean | undefined
}

const longestKey = 200

/** A request as its repeats are known by: its key, its address and what it sends. */
export function repeatable(request: globalThis.Request, content: string): Repeatable {
  const path = new URL(request.url).pathname
  return {
    key: request.headers.get('idempotency-key') ?? undefined,
    request: `${request.method} ${path} ${content}`,
  }
}

export function responseOf({ status, headers, body }: Answer): Response {
  return new Response(status === 204 ? null : body, { status, headers })
}

/**
 * Answers a repeated request with what the first one answered, kept 24 hours.
 *
 * The key's lock is held until the unit ends, so that of two at once the second waits and then repeats the first.
 *
 * @throws `IDEMPOTENCY_KEY_REUSED` (422) for the same key with another request, `SECRET_SHOWN_ONCE` (409) for a repeat
 *   whose answer is not to be read twice
 */
export async function answerOnce(
  ctx: Context,
  { key, request, secret = false }: Repeatable,
  run: () => Promise<Answer>,
): Promise<Answer> {
  if (key === undefined || key === '') return run()
  const short = key.slice(0, longestKey)
  const actor = `${ctx.actor.type}:${ctx.actor.id ?? ''}`
  const hash = createHash('sha256').update(request).digest('base64url')
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${ctx.workspace.id} ${actor} ${short}`}, 1))`.execute(
    ctx.sql,
  )
  const { rows } = await sql<{ request_hash: string; status: number; headers: Record<string, string>; body: string }>`
    select request_hash, status, headers, body from core.idempotency
    where workspace = ${ctx.workspace.id}::uuid and actor = ${actor} and key = ${short}
      and at > ${ctx.clock.now().toISOString()}::timestamptz - interval '24 hours'`.execute(ctx.sql)
  const [first] = rows
  if (first) {
    if (first.request_hash !== hash) throw idempotencyKeyReused({ key: short })
    if (secret) throw secretShownOnce({ key: short })
    return { status: first.status, headers: { ...first.headers, 'idempotent-replay': 'true' }, body: first.body }
  }
  const answer = await run()
  await sql`
    insert into core.idempotency (workspace, key, actor, request_hash, status, headers, body, at)
    values (${ctx.workspace.id}::uuid, ${short}, ${actor}, ${hash}, ${answer.status}, ${JSON.stringify(answer.headers)}::jsonb, ${secret ? '' : answer.body}, ${ctx.clock.now().toISOString()}::timestamptz)
    on conflict (workspace, actor, key) do update
      set request_hash = excluded.request_hash, status = excluded.status, headers = excluded.headers, body = excluded.body, at = excluded.at`.execute(
    ctx.sql,
  )
  return answer
}

/** Takes away answers whose 24 hours are over: each holds what its request was answered. */
export const sweepAnswers: JobDefinition = {
  id: 'idempotency-sweep',
  schedule: '50 3 * * *',
  async run({ sql: tx, workspace, clock }) {
    await sql`
      delete from core.idempotency
      where workspace = ${workspace.id}::uuid and at <= ${clock.now().toISOString()}::timestamptz - interval '24 hours'`.execute(
      tx,
    )
  },
}
