import type { ResourceMeta, ShellDocument, ShellScreen } from '@socle/sdk/ui'
import { t } from '@socle/sdk/ui'
import { matchPath } from './match-path.ts'
import type { PageBar } from './page.ts'

/** A place in the shell: which element stands there, and what it is told. */
export interface Route {
  /** Same key: the element stays and only its properties change. */
  readonly key: string
  readonly tag: string
  /** Brings the class of the element, or where a plugin's is made, the element. */
  readonly load: () => Promise<unknown>
  readonly params: Readonly<Record<string, string>>
  /** Further properties of the element. */
  readonly properties: Readonly<Record<string, unknown>>
  /** Plugin the place belongs to; `core` for the platform's own. */
  readonly plugin: string
  /** Top bar until the screen says more. */
  readonly bar: PageBar
}

/** Finds what stands at a path: the shell's own pages, then plugins' screens, then the screens of each resource. */
export function routeFor(document: ShellDocument, path: string): Route {
  const clean = path.length > 1 ? path.replace(/\/+$/, '') : path
  return (
    homeRoute(clean, document) ??
    sharedRoute(clean, document) ??
    settingsRoute(clean) ??
    screenRoute(clean, document) ??
    resourceRoute(clean, document) ??
    missingRoute(clean)
  )
}

function homeRoute(path: string, document: ShellDocument): Route | undefined {
  if (path !== '/') return undefined
  return own('home', 'shell-home', () => import('./home/shell-home.ts'), {
    title: t('shell.home.greeting', { name: document.user.name.split(' ')[0] ?? '' }),
    documentTitle: t('shell.home.title'),
  })
}

/** What is shared with whoever looks: everything, or behind the list of a kind what is of that kind. */
function sharedRoute(path: string, { resources }: ShellDocument): Route | undefined {
  const list = path.match(/^(.*)\/shared$/)?.[1]
  const resource = resources.find(({ route }) => route === list)?.id
  if (list !== '' && !resource) return undefined
  const load = () => import('./access/shell-shared.ts').then((it) => it.ShellShared)
  return { ...own('shared', 'shell-shared', load, { title: t('shell.shared.title') }), properties: { resource } }
}

/** Which pages there are, and for whom, the settings know: the first list has no use for it. */
function settingsRoute(path: string): Route | undefined {
  if (path !== '/settings' && !path.startsWith('/settings/')) return undefined
  const [, , page = '', record] = path.split('/')
  // One key for all: the list of settings at the side stays while its pages change.
  return {
    ...own('settings', 'shell-settings', () => import('./settings/shell-settings.ts'), {
      title: t('shell.nav.settings'),
    }),
    properties: { page, record },
  }
}

function screenRoute(path: string, document: ShellDocument): Route | undefined {
  const found = document.screens
    .map((screen) => ({ screen, params: matchPath(screen.path, path) }))
    .filter((it): it is { screen: ShellScreen; params: Record<string, string> } => it.params !== undefined)
    .toSorted((a, b) => Object.keys(a.params).length - Object.keys(b.params).length)[0]
  if (!found) return undefined
  const { screen, params } = found
  return {
    // Another version of its plugin is another screen.
    key: `screen:${screen.id} ${document.plugins.find((it) => it.id === screen.plugin)?.ui}`,
    tag: screen.tag,
    load: () => import('./plugin-modules.ts').then((it) => it.makeElement(screen.plugin, screen.tag)),
    params,
    properties: { context: { url: path, params } },
    plugin: screen.plugin,
    bar: { title: screen.title, crumbs: crumbsOf(screen.plugin, document) },
  }
}

function resourceRoute(path: string, document: ShellDocument): Route | undefined {
  const resource = document.resources
    .filter((it) => path === it.route || path.startsWith(`${it.route}/`))
    .toSorted((a, b) => b.route.length - a.route.length)[0]
  if (!resource) return undefined
  const [id, tab, ...rest] = path
    .slice(resource.route.length + 1)
    .split('/')
    .filter(Boolean)
    .map(decodeURIComponent)
  if (rest.length > 0) return undefined
  if (!id) return listRoute(resource, document)
  if (id === 'import' && !tab) return importRoute(resource)
  if (id === 'bin' && !tab) return binRoute(resource)
  if (id === 'merge' && !tab) return mergeRoute(resource)
  if (id === 'duplicates' && !tab) return duplicatesRoute(resource)
  return {
    key: `record:${resource.id}`,
    tag: 'shell-record-page',
    load: () => import('./records/shell-record-page.ts').then((it) => it.ShellRecordPage),
    params: { id, ...(tab && { tab }) },
    properties: { resource: resource.id },
    plugin: resource.plugin,
    bar: { title: resource.name.one, crumbs: [{ title: resource.name.many, href: resource.route }] },
  }
}

function listRoute(resource: ResourceMeta, document: ShellDocument): Route {
  return {
    key: `list:${resource.id}`,
    tag: 'shell-record-list',
    load: () => import('./records/shell-record-list.ts').then((it) => it.ShellRecordList),
    params: {},
    properties: { resource: resource.id },
    plugin: resource.plugin,
    bar: { title: resource.name.many, crumbs: crumbsOf(resource.plugin, document) },
  }
}

function importRoute(resource: ResourceMeta): Route {
  const load = () => import('./imports/shell-import-wizard.ts').then((it) => it.ShellImportWizard)
  const title = t('shell.import.title', { many: resource.name.many })
  return behindList(resource, 'import', { tag: 'shell-import-wizard', load, title })
}

function binRoute(resource: ResourceMeta): Route {
  const load = () => import('./records/shell-records-bin.ts').then((it) => it.ShellRecordsBin)
  const title = t('shell.records.bin.title', { many: resource.name.many })
  return behindList(resource, 'bin', { tag: 'shell-records-bin', load, title })
}

function mergeRoute(resource: ResourceMeta): Route {
  const load = () => import('./records/shell-merge.ts').then((it) => it.ShellMerge)
  return behindList(resource, 'merge', { tag: 'shell-merge', load, title: resource.name.many })
}

function duplicatesRoute(resource: ResourceMeta): Route {
  const load = () => import('./records/shell-duplicates.ts').then((it) => it.ShellDuplicates)
  return behindList(resource, 'duplicates', { tag: 'shell-duplicates', load, title: resource.name.many })
}

/** A place one comes to from the list of a resource. */
function behindList(
  { id, plugin, name, route }: ResourceMeta,
  place: string,
  { tag, load, title }: { readonly tag: string; readonly load: Route['load']; readonly title: string },
): Route {
  return {
    key: `${place}:${id}`,
    tag,
    load,
    params: {},
    properties: { resource: id },
    plugin,
    bar: { title, crumbs: [{ title: name.many, href: route }] },
  }
}

function missingRoute(path: string): Route {
  return {
    ...own('message', 'shell-message', () => import('./shell-message.ts'), { title: t('shell.missing.title') }),
    properties: { kind: 'missing', path },
  }
}

function own(key: string, tag: string, load: () => Promise<unknown>, bar: PageBar): Route {
  return { key, tag, load, params: {}, properties: {}, plugin: 'core', bar }
}

function crumbsOf(plugin: string, document: ShellDocument): { title: string }[] {
  const title = plugin === 'core' ? undefined : document.plugins.find((it) => it.id === plugin)?.title
  return title ? [{ title }] : []
}
