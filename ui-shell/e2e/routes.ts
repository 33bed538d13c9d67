import { uniqueName } from './browser.ts'
import type { Api, Stored } from './browser.ts'

/** A screen as the walks see it. */
export interface Route {
  readonly name: string
  readonly path: string
  readonly as?: 'nobody'
}

/** Every kind of screen, each with something on it. */
export async function routesOf(api: Api): Promise<readonly Route[]> {
  const { data } = await api.get<{ data: Stored[] }>('/api/sales/opportunities?limit=1&sort=name')
  const { data: accounts } = await api.get<{ data: Stored[] }>('/api/core/accounts?limit=2&sort=name')
  const gone = await api.create('/api/core/accounts', { name: uniqueName('Gone') })
  await api.delete(`/api/core/accounts/${gone.id}?version=${gone.version}`)
  const person = await api.create('/api/core/contacts', {
    firstName: 'Odile',
    lastName: uniqueName('Consent'),
    email: `${uniqueName('odile')
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, '')}@example.com`,
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
  const email = `${uniqueName('walk').replaceAll(' ', '.')}@example.com`
  const { link } = await api.post<{ link: string }>('/api/core/users/invite', { email })
  const asOf = encodeURIComponent(String(accounts[0]?.['createdAt']))
  return [
    { name: 'home', path: '/' },
    { name: 'list', path: '/sales/opportunities' },
    { name: 'kanban', path: '/sales/opportunities?view=kanban' },
    { name: 'calendar', path: '/activities?view=calendar' },
    { name: 'bin', path: '/accounts/bin' },
    { name: 'list-as-of', path: `/accounts?asOf=${asOf}` },
    { name: 'record', path: `/sales/opportunities/${data[0]?.id}` },
    { name: 'record-as-of', path: `/accounts/${accounts[0]?.id}?asOf=${asOf}` },
    { name: 'history', path: `/accounts/${accounts[0]?.id}/history` },
    { name: 'peek', path: `/accounts?peek=${accounts[0]?.id}` },
    { name: 'form', path: '/accounts?create=1' },
    { name: 'import', path: '/accounts/import' },
    { name: 'duplicates', path: '/accounts/duplicates' },
    { name: 'merge', path: `/accounts/merge?ids=${accounts.map(({ id }) => id).join(',')}` },
    { name: 'wall', path: '/hello/wall' },
    { name: 'modules', path: '/settings/modules' },
    { name: 'people', path: '/settings/people' },
    { name: 'fields', path: '/settings/fields' },
    { name: 'roles', path: '/settings/roles' },
    { name: 'consent', path: `/contacts/${person.id}/consent` },
    { name: 'privacy', path: '/settings/privacy' },
    { name: 'privacy-request', path: `/settings/privacy/${asked.data.id}` },
    { name: 'retention', path: '/settings/retention' },
    { name: 'audit', path: '/settings/audit' },
    { name: 'profile', path: '/settings/profile' },
    { name: 'security', path: '/settings/security' },
    { name: 'teams', path: '/settings/teams' },
    { name: 'api-keys', path: '/settings/api-keys' },
    { name: 'sign-in', path: '/', as: 'nobody' },
    { name: 'invitation', path: link, as: 'nobody' },
    { name: 'link-gone', path: '/welcome#gone', as: 'nobody' },
  ]
}
