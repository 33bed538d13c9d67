import { sql } from 'kysely'
import type { Workspace } from '../../actor.ts'
import { recordNotFound } from '../../records/errors.ts'
import { workspaceJson } from '../sessions.ts'
import { UserService } from '../user-service.ts'
import { done, privately, type Answers } from './door.ts'

/** A person's own accounts at identity providers. */
export const externalIdentityAnswers: Answers = {
  'GET /api/core/me/external-identities': async (door, { request }) => {
    const { session } = await door.demandSession(request)
    // A session that a workspace's provider opened sees what is that workspace's own.
    const bound = session.boundTo ?? null
    const { rows } = await sql`
      select e.id, p.name as provider, w.name as workspace, e.subject, e.created_at as "createdAt", e.last_used_at as "lastUsedAt"
      from core.external_identity e join core.identity_provider p on p.id = e.provider join core.workspace w on w.id = e.workspace
      where e.user_id = ${session.user} and (${bound}::uuid is null or e.workspace = ${bound}::uuid)
      order by e.last_used_at desc, e.id limit 200`.execute(door.owner)
    return privately(rows)
  },

  'DELETE /api/core/me/external-identities/:id': async (door, { request, params }) => {
    const { user } = await door.demandStrength(request)
    const id = params['id']!
    const { rows } = await sql<{ workspace: Workspace; name: string }>`
      select ${workspaceJson('w')} as workspace, m.name from core.external_identity e
      join core.workspace w on w.id = e.workspace join core.member m on m.workspace = e.workspace and m.id = e.user_id
      where e.user_id = ${user} and e.id::text = ${id}`.execute(door.owner)
    const [found] = rows
    if (!found) throw recordNotFound({ resource: 'external identity', id })
    const { workspace, name } = found
    const actor = { type: 'user', id: user, name, locale: workspace.locale } as const
    await door.parts.options.asPerson(workspace, actor, (ctx) => new UserService(ctx).unlinkOwn(user, id))
    door.forget()
    return done()
  },
}
