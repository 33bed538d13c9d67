import { createHash, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Context } from '../context.ts'

export type LinkPurpose = 'invitation' | 'password'

/** Hours for which a link opens the door. */
const lifetimes: Readonly<Record<LinkPurpose, number>> = { invitation: 7 * 24, password: 24 }

/** A way in that is shown once, to be passed on. */
export interface MadeLink {
  /** Path with the secret after `#`, which browsers never send: it stands in no server's log and in no Referer. */
  readonly link: string
  readonly expiresAt: string
}

export function linkHash(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Makes a link for a person of this workspace; the one they had before ends. */
export async function makeLink(ctx: Context, user: string, purpose: LinkPurpose): Promise<MadeLink> {
  const token = randomBytes(32).toString('base64url')
  const now = ctx.clock.now()
  const expiresAt = new Date(now.getTime() + lifetimes[purpose] * 3_600_000).toISOString()
  await endLink(ctx, user)
  await sql`
    insert into core.sign_in_link (id, workspace, user_id, purpose, hash, expires_at, created_at, created_by)
    values (${uuidv7()}, ${ctx.workspace.id}, ${user}, ${purpose}, decode(${linkHash(token)}, 'hex'), ${expiresAt}::timestamptz,
      ${now.toISOString()}::timestamptz, ${ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null})`.execute(ctx.sql)
  return { link: `/welcome#${token}`, expiresAt }
}

/** Whoever holds the person's link finds it closed from now on. */
export async function endLink(ctx: Context, user: string): Promise<void> {
  await sql`delete from core.sign_in_link where workspace = ${ctx.workspace.id}::uuid and user_id = ${user}::uuid`.execute(
    ctx.sql,
  )
}
