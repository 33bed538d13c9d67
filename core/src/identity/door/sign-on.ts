import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { SocleError } from '../../errors.ts'
import { readText } from '../../http/body.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import { recordNotFound } from '../../records/errors.ts'
import {
  domainInvalid,
  domainNotProved,
  notSignedIn,
  returnRefused,
  signOnGone,
  signOnUnknown,
  signOnUnreached,
} from '../errors.ts'
import { IdentityProviderService } from '../identity-provider-service.ts'
import { authPath } from '../sign-in.ts'
import { hashed } from '../hashed.ts'
import type { Provider } from '../sign-on/provider.ts'
import { readMetadata } from '../sign-on/saml-metadata.ts'
import { vouchedBy } from '../sign-on/vouching.ts'
import { bodyOf, DoorCookie, privately, withCookies, type Answers, type Call, type Door } from './door.ts'
import { showPresence } from './presence.ts'
import { enterByFirstFactor } from './sign-in.ts'
import type { Resolved } from '../identity.ts'
import type { SignOnToConfirm } from '../one-time-tokens.ts'

const findBody = z.strictObject({ email: z.string().trim().max(254) })
const startBody = z.strictObject({
  provider: z.string().max(60),
  returnTo: z.string().max(2_000).optional(),
  rememberMe: z.boolean().optional(),
  /** To show that the person of this session sits before it, not to open another. */
  presence: z.literal(true).optional(),
})
const finishBody = z.strictObject({ provider: z.string().max(60), query: z.string().max(20_000) })
const domainBody = z.strictObject({ domain: z.string().max(253) })
const confirmBody = z.strictObject({ token: z.string().max(100) })
const metadataBody = z.union([
  z.strictObject({ xml: z.string().max(500_000) }),
  z.strictObject({ url: z.string().max(2_000) }),
])

/** What a SAML answer is written in (RFC 4648), broken into lines by some, and how many characters of it are put by. */
const base64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/
const longestAnswer = 200_000

/** Seconds somebody has at the provider. */
const patience = 600

/** That it is the same browser that began. */
const browserCookie = new DoorCookie('socle.sign_on')

/** What a provider's page posts: it has no cookie of ours, and opens nothing by itself. */
export const postedFromElsewhere: ReadonlySet<string> = new Set([`POST ${authPath}/sign-on/:provider/saml`])

/**
 * Coming in by somebody else's word. The browser begins here, is sent to the provider, and comes back to a page of ours
 * that brings the answer: by then the cookie given at the beginning says that it is the same browser.
 */
export const signOnAnswers: Answers = {
  [`GET ${authPath}/sign-on`]: async (door) => Response.json({ data: await door.parts.signOn.providers.buttons() }),

  // For the page that asks before it begins.
  [`GET ${authPath}/sign-on/:provider`]: async (door, { params }) => {
    const { id, name, workspace } = await door.parts.signOn.providers.demand(params['provider']!)
    return privately({ id, name, workspace: workspace.name })
  },

  // The address comes in a body, where no log of addresses keeps it. Whether anybody has it is not said.
  [`POST ${authPath}/sign-on/find`]: async (door, { request, address }) => {
    await door.parts.delay.ask(address)
    const { email } = await bodyOf(request, findBody)
    return privately(await door.parts.signOn.providers.buttons(email))
  },

  [`POST ${authPath}/sign-on/start`]: async (door, call) => {
    const {
      provider: id,
      returnTo = '/',
      rememberMe = true,
      presence: isPresence,
    } = await bodyOf(call.request, startBody)
    const { delay, signOn, tokens } = door.parts
    await delay.ask(call.address)
    const provider = await signOn.providers.demand(id)
    const protocol = signOn.protocol(provider)
    const browser = randomBytes(32).toString('base64url')
    const kept = await protocol.question()
    const { kind } = provider
    const presence = isPresence && (await presenceOf(door, call, provider))
    const path = ownPath(door, returnTo)
    const hand = { provider: id, kind, browser: hashed(browser), returnTo: path, rememberMe, kept, presence }
    const state = await tokens.issue('sign-on', hand, patience)
    const url = await discreetly(provider, protocol.address(provider, kept, { state, isFresh: presence !== undefined }))
    const answer = privately({ url: url.href })
    browserCookie.give(answer, door, browser, patience)
    return answer
  },

  // Posted from the provider's page, so without a cookie: it is put by for the page of ours that comes to fetch it.
  [`POST ${authPath}/sign-on/:provider/saml`]: async (door, { request, params }) => {
    const form = new URLSearchParams(await readText(request))
    const state = form.get('RelayState') ?? ''
    const answer = form.get('SAMLResponse') ?? ''
    const hand = await door.parts.tokens.find('sign-on', state)
    const isAwaited =
      hand !== undefined &&
      hand.kind === 'saml' &&
      hand.provider === params['provider'] &&
      hand.answer === undefined &&
      answer.length <= longestAnswer &&
      base64.test(answer)
    if (isAwaited) await door.parts.tokens.change('sign-on', state, { ...hand, answer })
    const page = new URL(door.parts.signOn.addressesOf(isAwaited ? hand.provider : 'unknown').redirect)
    page.searchParams.set('state', isAwaited ? state : '')
    return new Response(null, { status: 303, headers: { location: page.href, 'cache-control': 'no-store' } })
  },

  [`GET ${authPath}/sign-on/:provider/saml/metadata`]: async (door, { params }) => {
    const { providers, saml } = door.parts.signOn
    const provider = await providers.find(params['provider']!)
    if (provider?.kind !== 'saml') throw signOnUnknown({})
    return new Response(await saml.metadata(provider), {
      headers: {
        'content-type': 'application/samlmetadata+xml',
        'content-disposition': 'attachment; filename="socle.xml"',
      },
    })
  },

  [`POST ${authPath}/sign-on/finish`]: async (door, call) => {
    const { provider: id, query } = await bodyOf(call.request, finishBody)
    const { tokens, signOn } = door.parts
    const params = new URLSearchParams(query)
    const state = params.get('state') ?? ''
    const browser = browserCookie.read(door, call)
    const begun = await tokens.find('sign-on', state)
    if (!begun || browser === undefined || begun.provider !== id || begun.browser !== hashed(browser))
      throw signOnGone({})
    // Taken before it is judged: of two who bring one answer, one is heard.
    const hand = await tokens.take('sign-on', state)
    if (!hand) throw signOnGone({})
    const provider = await signOn.providers.demand(id)
    const posted = new URLSearchParams({ SAMLResponse: hand.answer ?? '' })
    const said = provider.kind === 'saml' ? posted : params
    const voucher = await discreetly(provider, signOn.protocol(provider).voucher(provider, hand.kept, said))
    if (hand.presence) {
      const answer = await showPresence(door, call, { provider, voucher, hand })
      browserCookie.give(answer, door, '', 0)
      return answer
    }
    const { version } = provider
    const { returnTo, rememberMe } = hand
    return enter(door, call, { provider: id, version, browser: begun.browser, returnTo, rememberMe, voucher })
  },

  // Nobody joins a company, or becomes somebody else in their browser, by opening an address: they are asked first.
  [`POST ${authPath}/sign-on/confirm`]: async (door, call) => {
    const { token } = await bodyOf(call.request, confirmBody)
    const browser = browserCookie.read(door, call)
    const asked = await door.parts.tokens.find('sign-on-confirm', token)
    if (!asked || browser === undefined || asked.browser !== hashed(browser)) throw signOnGone({})
    const said = await door.parts.tokens.take('sign-on-confirm', token)
    if (!said) throw signOnGone({})
    return enter(door, call, said, { isConfirmed: true })
  },

  // Beside the other settings of a provider because they speak to it: no transaction waits for another company's server.
  'POST /api/core/identity-providers/:id/test': async (door, call) => {
    const { workspace, actor } = await demandManager(door, call)
    const { signOn, options } = door.parts
    const sentence = options.sentence ?? (({ message }) => message)
    const id = call.params['id']!
    const provider = await signOn.providers.find(id)
    if (provider?.workspace.id !== workspace.id) throw recordNotFound({ resource: 'identity provider', id })
    const checks = await signOn.protocol(provider).test(provider)
    const said = checks.map(({ problem, ...check }) =>
      problem ? { ...check, code: problem.code, detail: sentence(problem, actor.locale) } : check,
    )
    return privately({ ok: checks.every(({ ok }) => ok), checks: said })
  },

  'POST /api/core/identity-providers/:id/check-domain': async (door, call) => {
    const { workspace, actor } = await demandManager(door, call)
    const domain = (await bodyOf(call.request, domainBody)).domain.toLowerCase()
    const { signOn, options } = door.parts
    const id = call.params['id']!
    const provider = await signOn.providers.find(id)
    if (provider?.workspace.id !== workspace.id) throw recordNotFound({ resource: 'identity provider', id })
    if (!provider.wantedDomains.includes(domain)) throw domainInvalid({ domain })
    const wanted = signOn.domains.recordFor(workspace.id, domain)
    if ((await signOn.domains.look(wanted)) !== 'there') throw domainNotProved({ domain, ...wanted })
    const shown = await options.asPerson(workspace, actor, (ctx) =>
      new IdentityProviderService(ctx.asSystem(), signOn).prove(id, domain),
    )
    door.forget()
    return privately(shown)
  },

  'POST /api/core/identity-providers/read-metadata': async (door, call) => {
    await demandManager(door, call)
    const body = await bodyOf(call.request, metadataBody)
    if ('xml' in body) return privately(readMetadata(body.xml))
    const answer = await door.parts.signOn.outgoing.fetch(body.url)
    return privately(readMetadata(await answer.text()))
  },
}

/** Who came in through a provider shows by it alone that it is them. @throws `SIGN_ON_UNKNOWN` (404) */
async function presenceOf(door: Door, { request }: Call, { id }: Provider) {
  const { session } = await door.demandSession(request)
  if (session.provider !== id) throw signOnUnknown({})
  return { session: session.id, askedAt: door.now() }
}

/** What became of a request to a provider is told to who manages it: to anybody it would describe our network. */
async function discreetly<T>({ name }: Provider, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof SocleError) || !error.code.startsWith('OUTGOING_')) throw error
    throw Object.assign(signOnUnreached({ provider: name }), { cause: error })
  }
}

/**
 * In, when nothing of it has to be asked; a question to confirm otherwise: whom it would let in where, and who is signed in
 * to the browser meanwhile.
 */
async function enter(door: Door, call: Call, vouch: SignOnToConfirm, { isConfirmed = false } = {}): Promise<Response> {
  const { signOn, sessions, options, tokens } = door.parts
  // Asked again: it may have been switched off or changed while it answered, or while somebody thought about it.
  const provider = await signOn.providers.demand(vouch.provider)
  if (provider.version !== vouch.version) throw signOnGone({})
  const here = await sessions.find(call.request).catch(() => undefined)
  const present = here?.session.user
  const vouched = await vouchedBy(
    door.owner,
    provider,
    vouch.voucher,
    here?.session.boundTo === undefined ? present : undefined,
  )
  const isAnother = present !== undefined && present !== vouched.user
  if (isConfirmed && present !== vouch.user) throw signOnGone({})
  if (!isConfirmed && (vouched.isNewHere || isAnother)) {
    const token = await tokens.issue('sign-on-confirm', { ...vouch, user: present }, patience)
    const confirm = {
      token,
      provider: provider.name,
      workspace: provider.workspace.name,
      email: vouched.email,
      joins: vouched.step !== 'none',
      ...(isAnother ? { signedInAs: (await door.login(present)).email } : {}),
    }
    return privately({ confirm })
  }
  const user = await options.letIn(vouched)
  if (vouched.step !== 'none') door.forget()
  const through = { provider: provider.id, workspace: provider.workspace.id }
  const { rememberMe, returnTo, voucher } = vouch
  const asked = voucher.authenticatedAt
  const presentAt = asked === undefined ? null : asked < door.now() ? asked : door.now()
  const entered = provider.strong
    ? await door.open(call, { user, rememberMe, strong: true, through, presentAt })
    : await enterByFirstFactor(door, call, { user, email: vouched.email, rememberMe, through, presentAt })
  const { secondFactor } = (await entered.clone().json()) as { secondFactor?: true }
  const answer = privately({ returnTo, ...(secondFactor ? { secondFactor } : {}) })
  browserCookie.give(answer, door, '', 0)
  return withCookies(answer, entered)
}

/** @throws `NOT_SIGNED_IN` (401), `PERMISSION_DENIED` (403) */
async function demandManager(door: Door, call: Call): Promise<Resolved> {
  const resolved = await door.parts.resolve(call)
  if (!resolved) throw notSignedIn({})
  for (const permission of ['core.signon.manage', 'core.role.manage'])
    if (!resolved.authority.may(permission)) throw permissionDenied({ permission })
  return resolved
}

/** A path on this site and nowhere else, however a browser reads it. @throws `RETURN_REFUSED` (422) */
function ownPath(door: Door, path: string): string {
  const site = new URL(door.parts.options.config.baseUrl).origin
  const url = path.startsWith('/') ? URL.parse(path, site) : null
  if (url?.origin !== site || url.pathname.startsWith('//')) throw returnRefused({ path: path.slice(0, 100) })
  return `${url.pathname}${url.search}${url.hash}`
}
