import { lookup } from 'node:dns/promises'
import { request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import { BlockList, isIP } from 'node:net'
import type { Logger } from 'pino'
import type { SocleError } from '../errors.ts'
import { addressList, isListed } from '../identity/addresses.ts'
import { outgoingFailed, outgoingRefused, outgoingTooLarge, outgoingUrlInvalid } from './problem.ts'

export interface OutgoingConfig {
  /** Addresses and networks that may be reached although they are not public, over plain http too: `10.2.0.0/16`. */
  readonly allowed?: readonly string[]
}

export interface OutgoingRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Milliseconds until it is given up, 10,000 when absent. */
  readonly patience?: number
  /** Bytes of an answer that are read at most, 1 MiB when absent. */
  readonly mostBytes?: number
}

// What stands for no host on the public net: IANA's special-purpose registries (RFC 6890), multicast and the reserved rest.
const special = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]
const specialV4 = new BlockList()
for (const network of special) {
  const [address = '', bits] = network.split('/')
  specialV4.addSubnet(address, Number(bits), 'ipv4')
}
const globalV6 = new BlockList()
globalV6.addSubnet('2000::', 3, 'ipv6')
// Of those: documentation, and what carries an IPv4 address inside, through which a private one could be meant.
const specialV6 = new BlockList()
specialV6.addSubnet('2001::', 23, 'ipv6')
specialV6.addSubnet('2001:db8::', 32, 'ipv6')
specialV6.addSubnet('2002::', 16, 'ipv6')
specialV6.addSubnet('3fff::', 20, 'ipv6')

/** Whether an address is one anybody on the net could mean, and not a neighbour of this machine. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !specialV4.check(address, 'ipv4')
  // `::ffff:10.0.0.1` and the like are outside of 2000::/3 too.
  return isIP(address) === 6 && globalV6.check(address, 'ipv6') && !specialV6.check(address, 'ipv6')
}

/**
 * The one way by which the platform fetches an address somebody gave: discovery of identity providers, webhooks.
 *
 * A name is resolved once, every address it has is judged, and the connection goes to one that was judged, so that a name
 * that changes between question and connection gains nothing. A redirect is answered, not followed.
 */
export class Outgoing {
  readonly #allowed: BlockList
  readonly #log: Logger | undefined

  /** @param log - where an address is written that is answered to nobody, for whoever asks could learn our network by it */
  constructor({ allowed = [] }: OutgoingConfig = {}, log?: Logger) {
    this.#allowed = addressList(allowed)
    this.#log = log
  }

  /**
   * @throws `OUTGOING_URL_INVALID`, `OUTGOING_REFUSED` (422), `OUTGOING_FAILED`, `OUTGOING_TOO_LARGE` (502)
   */
  async fetch(address: string | URL, { patience = 10_000, ...options }: OutgoingRequest = {}): Promise<Response> {
    const url = URL.parse(String(address))
    if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
      throw outgoingUrlInvalid({ url: withoutSecrets(url, String(address)) })
    // One patience for all of it: the name, each address it has, and the answer.
    const signal = AbortSignal.timeout(patience)
    const targets = await this.#judged(url, signal)
    for (const target of targets.slice(0, -1)) {
      try {
        return await send(url, target, options, signal)
      } catch (error) {
        if (!(error instanceof Unreached) || signal.aborted) throw refusalOf(error)
      }
    }
    return send(url, targets.at(-1)!, options, signal).catch((error: unknown) => {
      throw refusalOf(error)
    })
  }

  /** The addresses to connect to, once every address of the host is known to be fit. */
  async #judged(url: URL, signal: AbortSignal): Promise<string[]> {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const found = isIP(host) === 0 ? await resolved(host, url, signal) : [host]
    for (const address of found) {
      if (isListed(this.#allowed, address)) continue
      if (!isPublicAddress(address)) {
        this.#log?.warn({ host, address }, 'an outgoing request into a private network was refused')
        throw outgoingRefused({ host })
      }
      if (url.protocol !== 'https:') throw outgoingUrlInvalid({ url: withoutSecrets(url, '') })
    }
    return found
  }
}

/** No connection came about, so nothing was sent: another address of the same host may be tried. */
class Unreached extends Error {
  readonly refusal: SocleError

  constructor(refusal: SocleError) {
    super(refusal.message)
    this.refusal = refusal
  }
}

const refusalOf = (error: unknown): unknown => (error instanceof Unreached ? error.refusal : error)

async function resolved(host: string, url: URL, signal: AbortSignal): Promise<string[]> {
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(outgoingFailed({ host: url.host, reason: 'late' })), { once: true })
  })
  // Nobody waits for it once the name is known.
  late.catch(() => {})
  const named = lookup(host, { all: true }).catch(() => {
    throw outgoingFailed({ host: url.host, reason: 'name' })
  })
  const found = await Promise.race([named, late])
  return [...new Set(found.map(({ address }) => address))]
}

function send(
  url: URL,
  target: string,
  { method = 'GET', headers = {}, body, mostBytes = 1_048_576 }: OutgoingRequest,
  signal: AbortSignal,
): Promise<Response> {
  const options: RequestOptions = {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) },
    signal,
    agent: false,
    // Wherever the name leads by now: the connection goes where it was judged to go.
    lookup: (_host, { all }, answer) => {
      const family = isIP(target)
      if (all) answer(null, [{ address: target, family }])
      else answer(null, target, family)
    },
  }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? secureRequest : plainRequest)(url, options, (message) => {
      read(message, mostBytes, url).then(resolve, reject)
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      const refusal = outgoingFailed({ host: url.host, reason: signal.aborted ? 'late' : reasonOf(error) })
      reject(error.syscall === 'connect' ? new Unreached(refusal) : refusal)
    })
    request.end(body)
  })
}

async function read(message: IncomingMessage, mostBytes: number, url: URL): Promise<Response> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > mostBytes) throw outgoingTooLarge({ host: url.host, most: mostBytes })
      chunks.push(chunk)
    }
  } catch (error) {
    message.destroy()
    if ((error as { code?: unknown }).code === outgoingTooLarge.code) throw error
    throw outgoingFailed({ host: url.host, reason: 'broken' })
  }
  const status = message.statusCode ?? 502
  const headers = new Headers()
  for (const [name, value] of Object.entries(message.headers))
    for (const one of [value].flat()) if (one !== undefined) headers.append(name, one)
  const isBare = status === 204 || status === 205 || status === 304
  return new Response(isBare ? null : Buffer.concat(chunks), { status, headers })
}

/** Which of the reasons a sentence has words for. */
function reasonOf({ code = '' }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'refused'
  return /CERT|SSL|TLS|SELF_SIGNED|ISSUER|ALTNAME/.test(code) ? 'certificate' : 'broken'
}

function withoutSecrets(url: URL | null, text: string): string {
  if (!url) return text.slice(0, 200)
  return `${url.protocol}//${url.host}${url.pathname}`.slice(0, 200)
}
