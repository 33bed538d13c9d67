import { sql } from 'kysely'
import { recordNotFound } from '../../records/errors.ts'
import { done, privately, type Answers } from './door.ts'

/** A person's own open sessions. */
export const sessionAnswers: Answers = {
  'GET /api/core/me/sessions': async (door, { request }) => {
    const { session } = await door.demandSession(request)
    // A session that a workspace's provider opened sees what is that workspace's own.
    const bound = session.boundTo ?? null
    const { rows } = await sql`
      select s.id, s.user_agent as "userAgent", nullif(s.ip_address, '') as address, s.created_at as "createdAt",
        coalesce(s.seen_at, s.created_at) as "seenAt", s.expires_at as "expiresAt", s.strong, s.id = ${session.id} as "isThis",
        p.name as through
      from core.session s left join core.identity_provider p on p.id = s.provider
      where s.user_id = ${session.user} and s.expires_at > ${door.now()}::timestamptz
        and (${bound}::uuid is null or s.bound_to = ${bound}::uuid)
      order by s.id = ${session.id} desc, coalesce(s.seen_at, s.created_at) desc, s.id limit 200`.execute(door.owner)
    return privately(rows)
  },

  'DELETE /api/core/me/sessions': async (door, { request }) => {
    await door.endOthers(await door.demandStrength(request))
    return done()
  },

  'DELETE /api/core/me/sessions/:id': async (door, { request, params }) => {
    const { session } = await door.demandSession(request)
    const id = params['id']!
    const { rows } = await sql`
      delete from core.session where user_id = ${session.user} and id::text = ${id}
        and (${session.boundTo ?? null}::uuid is null or bound_to = ${session.boundTo ?? null}::uuid) returning 1`.execute(
      door.owner,
    )
    if (rows.length === 0) throw recordNotFound({ resource: 'session', id })
    door.forget()
    return done()
  },
}
