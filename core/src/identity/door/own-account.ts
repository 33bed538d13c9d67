import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { permissionDenied } from '../../permissions/errors.ts'
import { notSignedIn, signOnBound } from '../errors.ts'
import { demandPassword, hashPassword } from '../passwords.ts'
import { chosenMembership, type Session } from '../sessions.ts'
import { currency, zone } from '../settings-values.ts'
import { authPath } from '../sign-in.ts'
import { bodyOf, done, type Answer, type Answers, type Call, type Door, type Login } from './door.ts'

const passwordBody = z.object({ currentPassword: z.string().max(1_000).optional(), newPassword: z.string().max(1_000) })
const switchBody = z.object({ workspace: z.string().max(100) })
const workspaceBody = z.object({
  name: z.string().trim().min(1).max(200),
  slug: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$/)
    .optional(),
  locale: z.enum(['en', 'fr']).optional(),
  zone: zone.optional(),
  baseCurrency: currency.optional(),
})

const changePassword: Answer = async (door, call) => {
  const { currentPassword, newPassword } = await bodyOf(call.request, passwordBody)
  demandPassword(newPassword)
  const me = await demandOwnPassword(door, call, currentPassword)
  const hash = await hashPassword(newPassword)
  await door.owner.transaction().execute(async (tx) => {
    const { rows } = await sql`
      update core.credential set password = ${hash}, updated_at = ${door.now()}::timestamptz
      where user_id = ${me.user} and provider_id = 'credential' returning 1`.execute(tx)
    if (rows.length === 0)
      await sql`
        insert into core.credential (id, account_id, provider_id, user_id, password, created_at, updated_at)
        values (${uuidv7()}, ${me.user}, 'credential', ${me.user}, ${hash}, ${door.now()}::timestamptz, ${door.now()}::timestamptz)`.execute(
        tx,
      )
    // Whoever knew the old password may sit in another browser, or be half way in.
    await door.parts.tokens.forget(me.user, tx)
    await sql`delete from core.session where user_id = ${me.user} and id <> ${me.id}`.execute(tx)
  })
  door.forget()
  return done()
}

/** By the password they have; who has none, because they come in by passkey or a provider, shows that it is them. */
async function demandOwnPassword(door: Door, call: Call, password: string | undefined): Promise<Session & Login> {
  const session = await door.demandStrength(call.request)
  const login = await door.login(session.user)
  if (login.password === null) door.demandFresh(session)
  else await door.checkPassword(login, password ?? '', { address: call.address, device: session.id })
  return { ...session, ...login }
}

/** A person's password, and which of their workspaces they are in. */
export const ownAccountAnswers: Answers = {
  [`POST ${authPath}/change-password`]: changePassword,
  'POST /api/core/me/password': changePassword,

  'POST /api/core/me/workspace': async (door, { request }) => {
    const signedIn = await door.demandSession(request)
    const { workspace } = await bodyOf(request, switchBody)
    const chosen = chosenMembership(signedIn, workspace)
    await sql`update core.session set workspace = ${chosen.workspace.id} where id = ${signedIn.session.id}`.execute(
      door.owner,
    )
    door.forget()
    return done()
  },

  'GET /api/core/workspaces': async (door, { request }) => {
    const { memberships } = await door.demandSession(request)
    return Response.json({ data: memberships.map(({ workspace }) => workspace) })
  },

  'POST /api/core/workspaces': async (door, call) => {
    const resolved = await door.parts.resolve(call)
    if (!resolved?.session) throw notSignedIn({})
    if (!resolved.authority.may('core.workspace.open')) throw permissionDenied({ permission: 'core.workspace.open' })
    // It could not go in there itself.
    if (resolved.session.boundTo !== undefined) throw signOnBound({})
    const wanted = await bodyOf(call.request, workspaceBody)
    const { name, email } = await door.login(resolved.session.user)
    const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
    const person = { id: resolved.session.user, locale: resolved.actor.locale, name, email }
    const made = await door.parts.workspaces.create(
      { locale: resolved.actor.locale, ...given, name: wanted.name },
      person,
    )
    door.forget()
    return Response.json({ data: made }, { status: 201 })
  },
}
