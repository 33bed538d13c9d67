import { sql } from 'kysely'
import { recordNotFound } from '../../records/errors.ts'
import { done, privately, type Answers } from './door.ts'

/** A person's own open sessions. */
export const sessionAnswers: Answers = {
  'GET /api/core/me/sessions': async (door, { request }) => {
    const { session } = await door.demandSession(request)
    const { rows } = await sql`
      select id, user_agent as "userAgent", nullif(ip_address, '') as address, created_at as "createdAt",
        coalesce(seen_at, created_at) as "seenAt", expires_at as "expiresAt", strong, id = ${session.id} as "isThis"
      from core.session where user_id = ${session.user} and expires_at > ${door.now()}::timestamptz
      order by id = ${session.id} desc, coalesce(seen_at, created_at) desc, id limit 200`.execute(door.owner)
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
      delete from core.session where user_id = ${session.user} and id::text = ${id} returning 1`.execute(door.owner)
    if (rows.length === 0) throw recordNotFound({ resource: 'session', id })
    door.forget()
    return done()
  },
}
