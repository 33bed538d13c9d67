import { sql } from 'kysely'
import { z } from 'zod'
import { permissionDenied } from '../../permissions/errors.ts'
import { notSignedIn, viewAsMore, viewAsSelf } from '../errors.ts'
import { beginViewing, mayViewAs } from '../view-as.ts'
import { bodyOf, done, privately, type Answers } from './door.ts'

const permission = 'core.actor.view-as'
const body = z.strictObject({ user: z.uuid(), reason: z.string().trim().min(3).max(500) })

/** Looking at the workspace as somebody else: a flag on one's own session, so that it ends with it. */
export const viewAsAnswers: Answers = {
  'POST /api/core/view-as': async (door, call) => {
    const who = await door.parts.resolve(call)
    if (!who) throw notSignedIn({})
    const { actor, authority, workspace, session } = who
    if (!session || !authority.may(permission)) throw permissionDenied({ permission })
    const { user, reason } = await bodyOf(call.request, body)
    if (user.toLowerCase() === actor.id) throw viewAsSelf({})
    const { authorities, asPerson } = door.parts.options
    const { subject } = await authorities.sources(workspace, user)
    const viewing = await asPerson(workspace, actor, async (ctx) => {
      const begun = await beginViewing(ctx, { user, reason })
      if (!mayViewAs(authority, subject.roles)) throw viewAsMore({ name: begun.name })
      return begun
    })
    await sql`
      update core.session set viewing = ${viewing.id}::uuid, viewed = ${user}::uuid, viewed_in = ${workspace.id}::uuid,
        viewed_until = ${viewing.until}::timestamptz
      where id = ${session.id}::uuid`.execute(door.owner)
    door.forget()
    return privately({ ...viewing, user }, 201)
  },

  'DELETE /api/core/view-as': async (door, { request }) => {
    const { session } = await door.demandSession(request)
    await door.stopViewing(session, 'self')
    return done()
  },
}
