import type { ResourceMeta, ShellDocument } from '@socle/sdk/ui'
import { patience, uniqueName } from './browser.ts'
import type { Api, Stored } from './browser.ts'

/** A screen as the walks see it. */
export interface Route {
  readonly name: string
  readonly path: string
  readonly as?: 'nobody'
  /** A screen that is built as another one is, of other records. */
  readonly isTwin?: true
  /** What the browser says of it, and is meant to. */
  readonly complaint?: RegExp
}

interface Work {
  readonly id: string
  readonly state: string
}

/** Every screen, each with something on it. */
export async function routesOf(api: Api): Promise<readonly Route[]> {
  const { data: opportunities } = await api.get<{ data: Stored[] }>('/api/sales/opportunities?limit=1&sort=name')
  const { data: accounts } = await api.get<{ data: Stored[] }>('/api/core/accounts?limit=2&sort=name')
  const { resources, user } = await api.get<ShellDocument>('/api/core/shell')
  const gone = await api.create('/api/core/accounts', { name: uniqueName('Gone') })
  await api.delete(`/api/core/accounts/${gone.id}?version=${gone.version}`)
  await makeTwins(api)
  await api.post('/api/core/exports', { resource: 'core.account', format: 'csv', fields: ['name'] })
  const steps = await importSteps(api)
  const privacy = await privacyScreens(api)
  const email = `${uniqueName('walk').replaceAll(' ', '.')}@example.com`
  const { link } = await api.post<{ link: string }>('/api/core/users/invite', { email })
  const [account, other] = accounts.map(({ id }) => id)
  const asOf = encodeURIComponent(String(accounts[0]?.['createdAt']))
  return [
    { name: 'home', path: '/' },
    { name: 'list', path: '/sales/opportunities' },
    { name: 'kanban', path: '/sales/opportunities?view=kanban' },
    ...(['month', 'week', 'day', 'agenda'] as const).map((span) => ({
      name: span === 'month' ? 'calendar' : `calendar-${span}`,
      path: `/activities?view=calendar${span === 'month' ? '' : `&span=${span}`}`,
    })),
    { name: 'list-filtered-empty', path: `/accounts?filter=${encodeURIComponent('name = "nobody is called so"')}` },
    { name: 'bin', path: '/accounts/bin' },
    { name: 'list-as-of', path: `/accounts?asOf=${asOf}` },
    { name: 'record', path: `/sales/opportunities/${opportunities[0]?.id}` },
    { name: 'record-account', path: `/accounts/${account}` },
    { name: 'record-as-of', path: `/accounts/${account}?asOf=${asOf}` },
    { name: 'history', path: `/accounts/${account}/history` },
    { name: 'record-access', path: `/accounts/${account}/access` },
    { name: 'peek', path: `/accounts?peek=${account}` },
    { name: 'form', path: '/accounts?create=1' },
    { name: 'form-opportunity', path: '/sales/opportunities?create=1' },
    { name: 'import', path: '/accounts/import' },
    ...steps,
    { name: 'duplicates', path: '/accounts/duplicates' },
    { name: 'merge', path: `/accounts/merge?ids=${account},${other}` },
    { name: 'wall', path: '/hello/wall' },
    { name: 'shared', path: '/shared' },
    { name: 'profile', path: '/settings/profile' },
    { name: 'security', path: '/settings/security' },
    { name: 'workspace', path: '/settings/workspace' },
    { name: 'modules', path: '/settings/modules' },
    { name: 'map', path: '/settings/map?plugin=sales' },
    { name: 'map-off', path: '/settings/map?plugin=core&off=sales' },
    { name: 'people', path: '/settings/people' },
    { name: 'teams', path: '/settings/teams' },
    { name: 'fields', path: '/settings/fields' },
    { name: 'roles', path: '/settings/roles' },
    { name: 'access', path: `/settings/access?actor=${user.id}&resource=core.account&action=read&record=${account}` },
    { name: 'identity-providers', path: '/settings/identity-providers' },
    { name: 'api-keys', path: '/settings/api-keys' },
    ...privacy,
    { name: 'events', path: `/settings/events?record=${account}` },
    { name: 'events-failed', path: '/settings/events?view=failed' },
    { name: 'events-subscribers', path: '/settings/events?view=subscribers' },
    { name: 'audit', path: '/settings/audit?resource=core.export' },
    { name: 'missing', path: '/nowhere' },
    { name: 'record-missing', path: '/accounts/00000000-0000-7000-8000-000000000000', complaint: /404 \(Not Found\)/ },
    ...resources.flatMap(listsOf),
    { name: 'sign-in', path: '/', as: 'nobody' },
    { name: 'invitation', path: link, as: 'nobody' },
    { name: 'sign-on-gone', path: '/sign-on/gone?state=gone', as: 'nobody', complaint: /401 \(Unauthorized\)/ },
    { name: 'link-gone', path: '/welcome#gone', as: 'nobody', complaint: /410 \(Gone\)/ },
  ]
}

/** The lists of a resource that are not walked through above. */
function listsOf({ id, route, views, fields }: ResourceMeta): Route[] {
  const dates = fields.some(({ type, writable }) => writable && (type === 'date' || type === 'instant'))
  const kinds = [...views, ...(dates ? ['calendar'] : [])]
  const walked = ['/sales/opportunities', '/sales/opportunities?view=kanban', '/activities?view=calendar']
  return kinds
    .map((kind) => ({ name: `${kind} of ${id}`, path: kind === 'table' ? route : `${route}?view=${kind}` }))
    .filter(({ path }) => !walked.includes(path))
    .map((it) => ({ ...it, isTwin: true }))
}

/** Waits for background work; routes are gathered outside of any test, where expectations cannot wait. */
async function comesTo(api: Api, path: string, wanted: string): Promise<void> {
  const end = Date.now() + patience
  for (;;) {
    const { state } = (await api.get<{ data: Work }>(path)).data
    if (state === wanted) return
    if (Date.now() > end) throw new Error(`${path} is ${state}, not ${wanted}.`)
    await new Promise((done) => setTimeout(done, 100))
  }
}

/** Two accounts that look like one, found as such. */
async function makeTwins(api: Api): Promise<void> {
  const name = uniqueName('Twins')
  for (const city of ['Lyon', 'Nantes']) await api.create('/api/core/accounts', { name, city, allowDuplicate: true })
  const { data } = await api.post<{ data: { job: string } }>('/api/core/accounts/duplicates/scan', {})
  await comesTo(api, `/api/core/jobs/${data.job}`, 'done')
}

/** The same screens for somebody else: imports are seen by those who started them. */
export async function routesFor(api: Api, routes: readonly Route[]): Promise<readonly Route[]> {
  const steps = new Map((await importSteps(api)).map((it) => [it.name, it]))
  return routes.map((it) => steps.get(it.name) ?? it)
}

/** One import left at its columns, one rehearsed with a refused line, one done. */
async function importSteps(api: Api): Promise<Route[]> {
  const path = '/api/core/imports'
  const upload = async (town: string): Promise<string> => {
    const lines = ['Firm;Town;Stage', `${uniqueName('Firm')};${town};prospect`, `${uniqueName('Firm')};;prospekt`]
    const file = { name: `firms-${town}.csv`, mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) }
    const { data } = await api.upload<{ data: Work }>(path, { resource: 'core.account', file })
    await api.patch(`${path}/${data.id}`, {
      mapping: [
        { column: 'Firm', field: 'name' },
        { column: 'Town', field: 'city' },
        { column: 'Stage', field: 'lifecycle' },
      ],
    })
    return data.id
  }
  const move = async (id: string, step: string, until: string): Promise<void> => {
    await api.post(`${path}/${id}/${step}`, {})
    await comesTo(api, `${path}/${id}`, until)
  }
  const [mapped, rehearsed, done] = [await upload('Lyon'), await upload('Nantes'), await upload('Lille')]
  await move(rehearsed, 'rehearse', 'rehearsed')
  await move(done, 'rehearse', 'rehearsed')
  await move(done, 'run', 'done')
  const at = (id: string) => `/accounts/import?id=${id}`
  return [
    { name: 'import-columns', path: at(mapped) },
    { name: 'import-rehearsed', path: at(rehearsed) },
    { name: 'import-done', path: at(done) },
  ]
}

/** Somebody who objected and asks to be erased, and a rule about how long others stay. */
async function privacyScreens(api: Api): Promise<Route[]> {
  const person = await api.create('/api/core/contacts', {
    firstName: 'Odile',
    lastName: uniqueName('Consent'),
    email: `${uniqueName('odile').replace(' ', '-')}@example.com`,
  })
  await api.post('/api/core/privacy/consents', {
    person: { resource: 'core.contact', record: person.id },
    channel: 'mail',
    action: 'objection',
    source: 'letter',
    wording: { text: 'You may object at any time.' },
  })
  const asked = await api.post<{ data: { id: string } }>('/api/core/privacy/requests', {
    kind: 'erasure',
    resource: 'core.contact',
    record: person.id,
  })
  await api.post('/api/core/privacy/retention-rules', {
    name: uniqueName('Old leads'),
    resource: 'core.lead',
    condition: 'status = "unqualified"',
    action: 'anonymise',
    graceDays: 30,
  })
  return [
    { name: 'consent', path: `/contacts/${person.id}/consent` },
    { name: 'privacy', path: '/settings/privacy' },
    { name: 'privacy-request', path: `/settings/privacy/${asked.data.id}` },
    { name: 'retention', path: '/settings/retention' },
  ]
}
