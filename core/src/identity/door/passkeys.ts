import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { z } from 'zod'
import { bodyOf, done, privately, type Answers } from './door.ts'

const base64url = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[\w-]*$/)

const credential = {
  id: base64url(2_048),
  rawId: base64url(2_048),
  type: z.literal('public-key'),
  clientExtensionResults: z.looseObject({}),
  authenticatorAttachment: z.string().max(40).nullish(),
}

/** What a browser answers to a question for a passkey; what it means is for the verification. */
export const passkeyAnswer = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(8_192),
    authenticatorData: base64url(8_192),
    signature: base64url(8_192),
    userHandle: base64url(128).nullish(),
  }),
}) as unknown as z.ZodType<AuthenticationResponseJSON>

/** A new passkey, as a browser answers it. */
export const madePasskey = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(8_192),
    attestationObject: base64url(65_536),
    transports: z.array(z.string().max(40)).max(20).optional(),
  }),
}) as unknown as z.ZodType<RegistrationResponseJSON>

/** What its person calls a passkey. */
export const passkeyName = z.string().trim().min(1).max(120)
const newBody = z.strictObject({ name: passkeyName, response: madePasskey })
const nameBody = z.strictObject({ name: passkeyName })

/** A person's own passkeys. */
export const passkeyAnswers: Answers = {
  'GET /api/core/me/passkeys': async (door, { request }) => {
    const { session } = await door.demandSession(request)
    return privately(await door.parts.passkeys.list(session.user))
  },

  'POST /api/core/me/passkeys/options': async (door, { request }) => {
    const me = await door.demandPresence(request)
    return privately(await door.parts.passkeys.registration(me.user, me))
  },

  // The question was only given to who proved their presence, and is bound to them.
  'POST /api/core/me/passkeys': async (door, { request }) => {
    const { session } = await door.demandSession(request)
    const { name, response } = await bodyOf(request, newBody)
    const made = await door.parts.passkeys.register(session.user, name, response)
    await door.strengthen(session)
    return privately(made, 201)
  },

  'PATCH /api/core/me/passkeys/:id': async (door, { request, params }) => {
    const { session } = await door.demandSession(request)
    await door.demandOwnWay(session)
    const { name } = await bodyOf(request, nameBody)
    await door.parts.passkeys.rename(session.user, params['id']!, name)
    return done()
  },

  'DELETE /api/core/me/passkeys/:id': async (door, { request, params }) => {
    const me = await door.demandPresence(request)
    await door.takeAway(me, 'passkey', (tx) => door.parts.passkeys.remove(me.user, params['id']!, tx))
    return done()
  },
}
