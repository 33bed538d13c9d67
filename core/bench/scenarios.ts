import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Filled } from './fill.ts'
import type { Call, Client } from './load.ts'
import { ownField } from './template.ts'

/** One figure: the same work asked of both sides. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** Least share of the baseline's throughput, design.md section 13; undefined where the design has none. */
  readonly goal?: number
  /** Section 7 of core.md: longest 95th percentile, milliseconds, and most times the baseline's where it has a ratio, one client each. */
  readonly most?: { readonly p95: number; readonly times?: number }
  /** Requests of one round from sixteen clients, unless the seconds are over first. */
  readonly count: number
  readonly ours: () => Call
  readonly baseline: () => Call
}

const channels = ['web', 'partner', 'import', 'direct']
const languages = ['fr', 'en']

/**
 * Every figure, given a filled workspace; `deep` is the last row before depth 100,000 and the cursor behind it, `cookie` the
 * session of somebody who sees what their team has.
 */
export function scenarios(filled: Filled, deep: Deep, cookie: string): Scenario[] {
  let nth = 0
  const next = () => (nth += 1)
  const contact = () => filled.contacts[next() % filled.contacts.length] ?? ''
  const account = () => filled.accounts[next() % filled.accounts.length] ?? ''
  const filters = () => ({
    channel: channels[next() % channels.length] ?? 'web',
    language: languages[next() % languages.length] ?? 'fr',
  })
  const list = (query: Readonly<Record<string, string>>): Call => ({
    method: 'GET',
    path: `/api/core/contacts?${new URLSearchParams(query)}`,
  })
  const filterOf = ({ channel, language }: ReturnType<typeof filters>) =>
    `sourceChannel = "${channel}" and language = "${language}" and doNotMail = false`
  const words = () => {
    const [first, last] = filled.words[next() % filled.words.length] ?? ['Marie', 'Martin']
    // As somebody types them: the beginning of each.
    return `${first.slice(0, 5)} ${last.slice(0, 5)}`
  }
  const half = Math.floor(filled.contacts.length / 2)
  return [
    {
      name: 'get',
      title: 'get',
      goal: 0.5,
      count: 1500,
      ours: () => ({ method: 'GET', path: `/api/core/contacts/${contact()}` }),
      baseline: () => ({ method: 'GET', path: `/contacts/${contact()}` }),
    },
    {
      name: 'list',
      title: 'list of 50, three filters, sorted by name',
      goal: 0.6,
      count: 600,
      ours: () => list({ filter: filterOf(filters()), sort: 'name', count: 'none' }),
      baseline: () => ({ method: 'GET', path: `/list?${new URLSearchParams(filters())}` }),
    },
    {
      name: 'list-own',
      title: 'list of 50, three filters, sorted on an indexed own field',
      most: { p95: 200, times: 1.5 },
      count: 600,
      ours: () => list({ filter: filterOf(filters()), sort: `-${ownField}`, count: 'none' }),
      baseline: () => ({ method: 'GET', path: `/own?${new URLSearchParams(filters())}` }),
    },
    {
      name: 'list-count',
      title: 'the same list with its estimated count',
      count: 400,
      ours: () => list({ filter: filterOf(filters()), sort: 'name' }),
      baseline: () => ({ method: 'GET', path: `/counted?${new URLSearchParams(filters())}` }),
    },
    {
      name: 'first',
      title: 'first page of all contacts',
      count: 600,
      ours: () => list({ sort: 'name', count: 'none' }),
      baseline: () => ({ method: 'GET', path: '/first' }),
    },
    {
      name: 'deep',
      title: `page at depth ${deep.depth.toLocaleString('en')}`,
      goal: 0.5,
      count: 600,
      ours: () => list({ sort: 'name', after: deep.cursor }),
      baseline: () => ({ method: 'GET', path: `/after?${new URLSearchParams({ name: deep.name, id: deep.id })}` }),
    },
    {
      name: 'create',
      title: 'create with ledger and outbox',
      goal: 0.4,
      count: 500,
      ours: () => ({ method: 'POST', path: '/api/core/contacts', body: person(next()) }),
      baseline: () => ({ method: 'POST', path: '/contacts', body: person(next()) }),
    },
    {
      name: 'create-bare',
      title: 'the same against one bare insert',
      goal: 0.25,
      most: { p95: 25, times: 4 },
      count: 500,
      ours: () => ({ method: 'POST', path: '/api/core/contacts', body: person(next()) }),
      baseline: () => ({ method: 'POST', path: '/bare', body: person(next()) }),
    },
    {
      name: 'update',
      title: 'update with ledger and outbox',
      goal: 0.3,
      count: 500,
      ours: updates('/api/core/contacts', filled.contacts.slice(0, half)),
      baseline: updates('/contacts', filled.contacts.slice(half)),
    },
    {
      name: 'search',
      title: 'search, two words',
      goal: 0.65,
      count: 500,
      ours: () => ({ method: 'GET', path: `/api/core/search?${new URLSearchParams({ q: words(), limit: '20' })}` }),
      baseline: () => ({ method: 'GET', path: `/search?${new URLSearchParams({ q: words() })}` }),
    },
    {
      name: 'search-team',
      title: 'search, two words, of what one of eight teams has',
      most: { p95: 300, times: 2 },
      count: 500,
      ours: () => ({
        method: 'GET',
        path: `/api/core/search?${new URLSearchParams({ q: words(), limit: '20' })}`,
        headers: { cookie },
      }),
      baseline: () => ({
        method: 'GET',
        path: `/search-team?${new URLSearchParams({ q: words(), team: filled.colleague.team, reader: filled.colleague.id })}`,
      }),
    },
    {
      name: 'page',
      title: 'record page: the account, and its timeline of 20 and more',
      most: { p95: 250, times: 2 },
      count: 400,
      ours: () => {
        const path = `/api/core/accounts/${account()}?include=owner,team,parent&timeline=first`
        return { method: 'GET', path }
      },
      baseline: () => ({ method: 'GET', path: `/page/${account()}` }),
    },
    {
      name: 'board',
      title: 'board of 8 columns of 20, with sums',
      most: { p95: 400, times: 2 },
      count: 60,
      ours: () => ({
        method: 'POST',
        path: '/api/core/accounts/board',
        body: { by: 'owner', limit: 20, sort: '-createdAt', measures: ['sum:annualRevenue'], columns: filled.columns },
      }),
      baseline: () => ({ method: 'GET', path: '/board' }),
    },
    {
      name: 'explain',
      title: 'explain: may somebody with 20 roles and 5 shares read an account',
      most: { p95: 50 },
      count: 200,
      ours: () => ({
        method: 'GET',
        path: `/api/core/explain?${new URLSearchParams({ actor: filled.manifold.id, resource: 'core.account', action: 'read', record: account() })}`,
      }),
      baseline: () => ({
        method: 'GET',
        path: `/explain?${new URLSearchParams({ user: filled.manifold.id, account: account() })}`,
      }),
    },
    {
      name: 'aggregate',
      title: 'aggregate: accounts by lifecycle, count and sum',
      goal: 0.75,
      count: 60,
      ours: () => ({
        method: 'POST',
        path: '/api/core/accounts/aggregate',
        body: { groupBy: ['lifecycle'], measures: ['count', 'sum:annualRevenue'] },
      }),
      baseline: () => ({ method: 'GET', path: '/aggregate' }),
    },
  ]
}

/** Opens the session of a member; answers the cookie that continues it. */
export async function signIn(base: string, { email, password }: { email: string; password: string }): Promise<string> {
  const sent = request(`${base}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base },
  })
  sent.end(JSON.stringify({ email, password }))
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  const cookies = answer.headers['set-cookie']?.map((it) => it.split(';')[0])
  if (!cookies) throw new Error(`Signing ${email} in answered ${answer.statusCode}.`)
  return cookies.join('; ')
}

function person(nth: number) {
  return {
    firstName: 'Camille',
    lastName: `Nouveau ${nth}`,
    jobTitle: 'Acheteuse',
    email: `new${nth}-${process.pid}@example.com`,
    phone: `+33 7 ${String(10_000_000 + nth)}`,
    language: 'fr',
  }
}

/** Each record in turn, at the version the turn before left it; fields that nothing else hangs on, as an opt-out does on `doNotCall`. */
function updates(path: string, ids: readonly string[]): () => Call {
  let nth = 0
  return () => {
    const id = ids[nth % ids.length] ?? ''
    const version = 1 + Math.floor(nth / ids.length)
    nth += 1
    return {
      method: 'PATCH',
      path: `${path}/${id}`,
      body: { version, source: `Salon ${version}`, language: version % 2 === 1 ? 'en' : 'fr' },
    }
  }
}

/** A place far down the list of all contacts by name. */
export interface Deep {
  readonly depth: number
  readonly cursor: string
  readonly name: string
  readonly id: string
}

/** Walks the list down to depth 100,000, or most of the way through a smaller one, page by page as a client would. */
export async function walkDown(ours: Client, rows: number): Promise<Deep> {
  const depth = Math.min(100_000, Math.floor((rows * 0.9) / 200) * 200)
  let after = ''
  let last: { id: string; name: string } | undefined
  for (let at = 0; at < depth; at += 200) {
    const query = new URLSearchParams({
      sort: 'name',
      limit: '200',
      fields: 'name',
      count: 'none',
      ...(after === '' ? {} : { after }),
    })
    const page = JSON.parse(await ours.send({ method: 'GET', path: `/api/core/contacts?${query}` })) as {
      data: { id: string; name: string }[]
      page: { next: string }
    }
    after = page.page.next
    last = page.data.at(-1)
  }
  if (!last) throw new Error(`${rows} rows are too few to walk down.`)
  return { depth, cursor: after, ...last }
}
