import { sql } from 'kysely'
import { z } from 'zod'
import { passkeyRefused, presenceNotShown, presenceOfAnother, secondFactorWrong, signOnGone } from '../errors.ts'
import type { SignOnInHand } from '../one-time-tokens.ts'
import type { Session } from '../sessions.ts'
import type { Provider, Voucher } from '../sign-on/provider.ts'
import { bodyOf, done, privately, type Answers, type Call, type Door } from './door.ts'
import { passkeyAnswer } from './passkeys.ts'

const presenceBody = z.union([
  z.strictObject({ password: z.string().max(1_000) }),
  z.strictObject({ code: z.string().trim().min(6).max(40) }),
  z.strictObject({ passkey: passkeyAnswer }),
])

/** Milliseconds by which a provider's clock may differ from ours. */
const skew = 60_000

/** That the person of a session sits before it: what is dangerous asks for it, and each has a way to show it. */
export const presenceAnswers: Answers = {
  'GET /api/core/me/presence': async (door, { request }) => {
    const { session } = await door.demandSession(request)
    const { password } = await door.login(session.user)
    const { since, passkeys } = await door.parts.secondFactors.stateOf(session.user)
    const { rows } = await sql<{ id: string; name: string }>`
      select id, name from core.identity_provider where id = ${session.provider ?? null}::uuid`.execute(door.owner)
    return privately({
      until: door.presentUntil(session),
      ways: { password: password !== null, app: since !== null, passkey: passkeys > 0, provider: rows[0] ?? null },
    })
  },

  'POST /api/core/me/presence': async (door, call) => {
    const { session } = await door.demandSession(call.request)
    const shown = await bodyOf(call.request, presenceBody)
    if ('password' in shown) await checkPassword(door, call, session, shown.password)
    else if ('code' in shown) await checkCode(door, call, session, shown.code)
    else if ((await door.parts.passkeys.answer(shown.passkey)) !== session.user) throw passkeyRefused({})
    await notePresence(door, session, door.now())
    return done()
  },
}

async function checkPassword(door: Door, { address }: Call, session: Session, password: string): Promise<void> {
  await door.checkPassword(await door.login(session.user), password, { address, device: session.id })
}

async function checkCode(door: Door, { address }: Call, session: Session, code: string): Promise<void> {
  const { delay, secondFactors } = door.parts
  const who = `second factor of ${session.user}`
  const source = { address, device: session.id }
  await delay.begin(who, source)
  if (!(await secondFactors.use(session.user, code))) throw secondFactorWrong({})
  await delay.succeed(who, source)
}

/**
 * Somebody who came in through a provider was sent to it again, to be asked anew. That it let them pass because they were
 * signed in there already shows nothing: whoever finds the browser open passes likewise.
 *
 * @throws `SIGN_ON_GONE` (401), `PRESENCE_OF_ANOTHER`, `PRESENCE_NOT_SHOWN` (403)
 */
export async function showPresence(
  door: Door,
  call: Call,
  { provider, voucher, hand }: { provider: Provider; voucher: Voucher; hand: SignOnInHand },
): Promise<Response> {
  const { session } = await door.demandSession(call.request)
  if (session.id !== hand.presence?.session || session.provider !== provider.id) throw signOnGone({})
  const { rows } = await sql<{ user: string }>`
    select user_id as user from core.external_identity
    where provider = ${provider.id} and issuer = ${voucher.issuer} and subject = ${voucher.subject}`.execute(door.owner)
  if (rows[0]?.user !== session.user) throw presenceOfAnother({ provider: provider.name })
  const at = Date.parse(voucher.authenticatedAt ?? '')
  if (!(at >= Date.parse(hand.presence.askedAt) - skew)) throw presenceNotShown({ provider: provider.name })
  await notePresence(door, session, new Date(Math.min(at, Date.parse(door.now()))).toISOString())
  return privately({ present: true })
}

async function notePresence(door: Door, { id }: Session, at: string): Promise<void> {
  await sql`update core.session set present_at = ${at}::timestamptz where id = ${id}`.execute(door.owner)
  door.forget()
}
