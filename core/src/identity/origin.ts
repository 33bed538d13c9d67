import { originRefused } from './errors.ts'

const safe = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses that a page of another site acts in the user's session.
 *
 * Browsers say where a request comes from in Sec-Fetch-Site and, on every method that changes something, in Origin. A
 * request with neither was not made by a page, so nobody's cookie was borrowed. Hosts are compared, not schemes: behind a
 * proxy that ends TLS the process sees http. (The rule of Go's net/http.CrossOriginProtection.)
 *
 * @throws `ORIGIN_REFUSED` (403)
 */
export function demandSameOrigin(request: Request, trustedOrigins: readonly string[]): void {
  if (safe.has(request.method)) return
  const origin = request.headers.get('origin')
  if (origin !== null && trustedOrigins.includes(origin)) return
  const site = request.headers.get('sec-fetch-site')
  if (site === 'same-origin' || site === 'none') return
  if (site === null) {
    if (origin === null) return
    const host = request.headers.get('host') ?? new URL(request.url).host
    if (URL.parse(origin)?.host === host) return
  }
  throw originRefused({ origin: origin ?? 'another site' })
}
