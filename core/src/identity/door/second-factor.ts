import { z } from 'zod'
import { secondFactorOff } from '../errors.ts'
import { bodyOf, done, privately, type Answers } from './door.ts'

const codeBody = z.strictObject({ code: z.string().trim().max(40) })

/** A person's own authenticator app and recovery codes. */
export const secondFactorAnswers: Answers = {
  'GET /api/core/me/second-factor': async (door, { request }) => {
    const { session, memberships } = await door.demandSession(request)
    const state = await door.parts.secondFactors.stateOf(session.user)
    const demandedBy = memberships.filter(({ workspace }) => workspace.secondFactor === 'required')
    return privately({
      ...state,
      strong: session.strong,
      demandedBy: demandedBy.map(({ workspace }) => workspace.name),
    })
  },

  'POST /api/core/me/second-factor': async (door, { request }) => {
    const me = await door.demandPresence(request)
    const issuer = new URL(door.parts.options.config.baseUrl).hostname
    return privately(
      await door.parts.secondFactors.begin(me.user, { issuer: `Socle ${issuer}`, account: me.email }),
      201,
    )
  },

  'POST /api/core/me/second-factor/confirm': async (door, call) => {
    const { session } = await door.demandSession(call.request)
    const { code } = await bodyOf(call.request, codeBody)
    const { delay, secondFactors } = door.parts
    const who = `second factor of ${session.user}`
    const source = { address: call.address, device: session.id }
    await delay.begin(who, source)
    const recoveryCodes = await secondFactors.confirm(session.user, code.replaceAll(/\s/g, ''))
    await delay.succeed(who, source)
    await door.strengthen(session)
    return privately({ recoveryCodes })
  },

  'POST /api/core/me/second-factor/recovery-codes': async (door, { request }) => {
    const me = await door.demandPresence(request)
    const { secondFactors } = door.parts
    if (!(await secondFactors.isOn(me.user))) throw secondFactorOff({})
    return privately({ recoveryCodes: await secondFactors.renewRecoveryCodes(me.user) })
  },

  'DELETE /api/core/me/second-factor': async (door, { request }) => {
    const me = await door.demandPresence(request)
    await door.takeAway(me, 'app', (tx) => door.parts.secondFactors.remove(me.user, tx))
    return done()
  },
}
