import { sql } from 'kysely'
import { z } from 'zod'
import type { Locale, Workspace } from '../../actor.ts'
import { linkGone, linkNeedsSignIn, passwordMissing } from '../errors.ts'
import { demandPassword, hashPassword } from '../passwords.ts'
import { workspaceJson } from '../sessions.ts'
import { linkHash, type LinkPurpose } from '../sign-in-links.ts'
import { authPath } from '../sign-in.ts'
import { bodyOf, privately, type Answers, type Call, type Door } from './door.ts'
import { madePasskey, passkeyName } from './passkeys.ts'
import { enterByFirstFactor } from './sign-in.ts'

const token = z.string().max(100)
const linkBody = z.strictObject({ token })
const acceptBody = z.strictObject({
  token,
  name: z.string().trim().min(1).max(200).optional(),
  password: z.string().max(1_000).optional(),
  passkey: z.strictObject({ name: passkeyName, response: madePasskey }).optional(),
})

interface OpenLink {
  readonly purpose: LinkPurpose
  readonly user: string
  readonly name: string
  readonly email: string
  readonly locale: Locale
  readonly workspace: Workspace
  readonly expiresAt: string
  readonly by: string | null
  /** They sign in already, here or in another workspace. */
  readonly isKnown: boolean
}

/** Coming in by a link that somebody passed on: an invitation, or the way to a new password. */
export const linkAnswers: Answers = {
  // The secret comes in a body, where no log of addresses keeps it; and looking uses nothing up: scanners open every link.
  // Whether its person has a sign-in already is theirs to know, not its bearer's: whoever invited them has the link too.
  [`POST ${authPath}/link`]: async (door, { request }) => {
    const { token } = await bodyOf(request, linkBody)
    const link = await openLink(door, token)
    const { isKnown: _, user: __, workspace, ...told } = link
    return privately({ ...told, workspace: workspace.name, isYou: await isBeing(door, request, link) })
  },

  [`POST ${authPath}/link/passkey`]: async (door, { request }) => {
    const { token } = await bodyOf(request, linkBody)
    const { user, name, email, purpose } = await openLink(door, token)
    if (purpose !== 'invitation') throw linkGone({})
    return privately(await door.parts.passkeys.registration(user, { name, email, isFirst: true }))
  },

  [`POST ${authPath}/link/accept`]: async (door, call) => {
    const { token, password, passkey, ...chosen } = await bodyOf(call.request, acceptBody)
    const link = await openLink(door, token)
    const { user, email, purpose, isKnown, workspace } = link
    const choice = { token, name: chosen.name ?? link.name }
    if (purpose === 'invitation' && isKnown && (await isBeing(door, call.request, link))) {
      await door.useLink(workspace, user, { ...choice, hash: null })
      return Response.json({ joined: workspace.id })
    }
    // The link was in other hands than theirs: it opens this workspace to them, and nothing of theirs to its bearer. What was
    // chosen is looked at first all the same, so that a choice that would be refused anyway asks nothing.
    const demandNobodyKnown = () => {
      if (purpose === 'invitation' && isKnown) throw linkNeedsSignIn({ email })
    }
    if (passkey && purpose === 'invitation') {
      const proved = await door.parts.passkeys.prove(user, passkey.response)
      demandNobodyKnown()
      const made = await door.parts.passkeys.keep(user, passkey.name, proved)
      try {
        await door.useLink(workspace, user, { ...choice, hash: null })
      } catch (error) {
        await door.parts.passkeys.remove(user, made.id)
        throw error
      }
      return door.open(call, { user, rememberMe: true, strong: true })
    }
    if (password === undefined) throw passwordMissing({})
    if (purpose === 'invitation' && isKnown && (await isTheirs(door, call, { user, email, password }))) {
      await door.useLink(workspace, user, { ...choice, hash: null })
      return enterByFirstFactor(door, call, { user, email, rememberMe: true })
    }
    demandPassword(password)
    demandNobodyKnown()
    await door.useLink(workspace, user, { ...choice, hash: await hashPassword(password) })
    return enterByFirstFactor(door, call, { user, email, rememberMe: true })
  },
}

/** @throws `LINK_GONE` (410) */
async function openLink(door: Door, token: string): Promise<OpenLink> {
  const { rows } = await sql<OpenLink>`
    select l.purpose, l.user_id as user, m.name, m.email, m.locale, ${workspaceJson('w')} as workspace, l.expires_at as "expiresAt",
      (select name from core.member b where b.workspace = l.workspace and b.id = l.created_by) as by,
      core.signs_in(l.user_id, l.workspace) as "isKnown"
    from core.sign_in_link l join core.workspace w on w.id = l.workspace
    join core.member m on m.workspace = l.workspace and m.id = l.user_id and m.deleted_at is null and m.state <> 'inactive'
    where l.hash = decode(${linkHash(token)}, 'hex') and l.expires_at > ${door.now()}::timestamptz`.execute(door.owner)
  if (!rows[0]) throw linkGone({})
  return rows[0]
}

/** Whether the request comes from the person themselves. */
async function isBeing(door: Door, request: Request, { user, workspace }: OpenLink): Promise<boolean> {
  const signedIn = await door.parts.sessions.find(request).catch(() => undefined)
  // What another workspace's provider says is no word of theirs here.
  const { boundTo = workspace.id } = signedIn?.session ?? {}
  return signedIn?.session.user === user && boundTo === workspace.id
}

/** Whether it is the password they have, asked as at the door: who signs in elsewhere, or was in somewhere once, comes in by it. */
async function isTheirs(
  door: Door,
  call: Call,
  { user, ...given }: { readonly user: string; readonly email: string; readonly password: string },
): Promise<boolean> {
  const { delay, signIn } = door.parts
  const source = door.sourceOf(call, given.email)
  await delay.begin(given.email, source)
  if ((await signIn.check(given)) !== user) return false
  await delay.succeed(given.email, source)
  return true
}
