import { BlockList, isIP } from 'node:net'
import { addressInvalid } from './errors.ts'

/** What is known of the connection a request came over. */
export interface Peer {
  /** Address of the other end of the connection, which may be a proxy's. */
  readonly address?: string
}

const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** `::ffff:192.0.2.7`, as a socket on all addresses says it, is 192.0.2.7. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address.trim())
  return mapped?.[1] ?? address.trim()
}

/**
 * What of an address tells one connection from another: of IPv6 its first 64 bits, for the rest is whatever its owner's
 * machine makes up.
 */
export function placeOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [before = '', after = ''] = address.split('%')[0]!.toLowerCase().split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const [head, tail] = [groups(before), groups(after)]
  const whole = [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail]
  return `${whole
    .slice(0, 4)
    .map((it) => Number.parseInt(it, 16).toString(16))
    .join(':')}::/64`
}

/** @throws `ADDRESS_INVALID` (422) for the first entry that is neither an address nor a network */
export function addressList(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [network = '', bits, ...rest] = plain(entry).split('/')
    const most = isIP(network) === 6 ? 128 : 32
    if (
      isIP(network) === 0 ||
      rest.length > 0 ||
      (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most))
    ) {
      throw addressInvalid({ address: entry })
    }
    if (bits === undefined) list.addAddress(network, family(network))
    else list.addSubnet(network, Number(bits), family(network))
  }
  return list
}

export function isListed(list: BlockList, address: string | undefined): boolean {
  if (address === undefined || isIP(plain(address)) === 0) return false
  return list.check(plain(address), family(plain(address)))
}

/**
 * Where a request really came from: the nearest address in X-Forwarded-For that no trusted proxy has.
 *
 * Anybody can write that header, so without a trusted proxy at the other end it is not read at all.
 */
export function clientAddress(request: Request, peer: Peer, trusted: BlockList): string | undefined {
  let address = peer.address === undefined ? undefined : plain(peer.address)
  const hops = (request.headers.get('x-forwarded-for') ?? '')
    .split(',')
    .map(plain)
    .filter((hop) => isIP(hop) !== 0)
  while (hops.length > 0 && isListed(trusted, address)) address = hops.pop()
  return address
}
