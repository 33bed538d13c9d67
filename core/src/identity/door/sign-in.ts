import { z } from 'zod'
import { passkeyAnswer } from './passkeys.ts'
import { bodyOf, DoorCookie, withCookies, type Answers, type Call, type Door } from './door.ts'
import { credentialsWrong, secondFactorWrong, signInStepGone } from '../errors.ts'
import type { StepInHand } from '../one-time-tokens.ts'
import { longestPassword } from '../passwords.ts'
import { authPath } from '../sign-in.ts'

const signInBody = z.object({
  email: z.string().max(254),
  password: z.string().max(longestPassword * 4),
  rememberMe: z.boolean().optional(),
})
const codeBody = z.strictObject({ code: z.string().trim().min(6).max(40) })
const passkeyBody = z.strictObject({ response: passkeyAnswer, rememberMe: z.boolean().optional() })

/** Seconds between the password and the code. */
const stepSeconds = 600

const stepCookie = new DoorCookie('socle.second_step')

/** Coming in and going out. */
export const signInAnswers: Answers = {
  [`POST ${authPath}/sign-in/email`]: async (door, call) => {
    const { rememberMe = true, ...body } = await bodyOf(call.request, signInBody)
    const { delay, signIn } = door.parts
    const source = door.sourceOf(call, body.email)
    await delay.begin(body.email, source)
    const user = await signIn.check(body)
    if (user === undefined) throw credentialsWrong({})
    await delay.succeed(body.email, source)
    await door.acceptGivenPassword(user)
    return enterByFirstFactor(door, call, { user, email: body.email, rememberMe })
  },

  [`POST ${authPath}/sign-in/second-factor`]: async (door, call) => {
    const { code } = await bodyOf(call.request, codeBody)
    const { tokens, delay, secondFactors } = door.parts
    const token = stepCookie.read(door, call)
    const step = token === undefined ? undefined : await tokens.find('second-step', token)
    if (token === undefined || !step) throw signInStepGone({})
    // Six digits are soon guessed by who may try often: the same waiting as for passwords, counted apart.
    const who = `second factor of ${step.user}`
    const source = door.sourceOf(call, step.email)
    await delay.begin(who, source)
    if (!(await secondFactors.use(step.user, code))) throw secondFactorWrong({})
    await delay.succeed(who, source)
    if (!(await tokens.take('second-step', token))) throw signInStepGone({})
    const { user, rememberMe, through } = step
    // It may have been switched off since it vouched.
    if (through) await door.parts.signOn.providers.demand(through.provider)
    const answer = await door.open(call, { user, rememberMe, strong: true, through })
    stepCookie.give(answer, door, '', 0)
    return answer
  },

  [`POST ${authPath}/passkey/options`]: async (door, { address }) => {
    await door.parts.delay.ask(address)
    return Response.json({ data: await door.parts.passkeys.question() }, { headers: { 'cache-control': 'no-store' } })
  },

  [`POST ${authPath}/sign-in/passkey`]: async (door, call) => {
    const { response, rememberMe = true } = await bodyOf(call.request, passkeyBody)
    const user = await door.parts.passkeys.answer(response)
    return door.open(call, { user, rememberMe, strong: true })
  },

  [`POST ${authPath}/sign-out`]: async (door, { request }) => {
    const answer = await door.parts.signIn.leave(request)
    if (door.parts.sessions.tokenOf(request) !== undefined) door.forget()
    return withCookies(Response.json({ success: true }), answer)
  },

  [`GET ${authPath}/get-session`]: async (door, { request }) => {
    const signedIn = await door.parts.sessions.find(request)
    if (!signedIn) return Response.json(null)
    const { session, memberships } = signedIn
    return Response.json({
      session: { id: session.id, userId: session.user, expiresAt: session.expiresAt },
      user: { id: session.user, name: memberships[0]?.name, email: memberships[0]?.email },
    })
  },
}

/** A password was right, or a provider vouched: opens a session, or asks for the code of an app first. */
export async function enterByFirstFactor(door: Door, call: Call, step: StepInHand): Promise<Response> {
  const { secondFactors, tokens } = door.parts
  await door.demandMember(step.user, step.through)
  if (!(await secondFactors.isOn(step.user)))
    return door.open(call, {
      user: step.user,
      rememberMe: step.rememberMe,
      strong: false,
      through: step.through,
      presentAt: step.presentAt,
    })
  const token = await tokens.issue('second-step', step, stepSeconds)
  const answer = Response.json({ secondFactor: true }, { headers: { 'cache-control': 'no-store' } })
  stepCookie.give(answer, door, token, stepSeconds)
  return answer
}
