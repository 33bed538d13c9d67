import { satisfies } from 'semver'

/** What nearly every element uses: one file, one request. */
export const litNames: readonly string[] = [
  'lit',
  'lit/async-directive.js',
  'lit/directive.js',
  'lit/directive-helpers.js',
  'lit/directives/class-map.js',
  'lit/directives/guard.js',
  'lit/directives/if-defined.js',
  'lit/directives/keyed.js',
  'lit/directives/live.js',
  'lit/directives/map.js',
  'lit/directives/ref.js',
  'lit/directives/repeat.js',
  'lit/directives/style-map.js',
  'lit/directives/unsafe-html.js',
  'lit/directives/unsafe-svg.js',
  'lit/directives/when.js',
]

/** The rest of Lit, fetched by whoever imports it. */
export const litMoreNames: readonly string[] = [
  'lit/directives/async-append.js',
  'lit/directives/async-replace.js',
  'lit/directives/cache.js',
  'lit/directives/choose.js',
  'lit/directives/join.js',
  'lit/directives/range.js',
  'lit/directives/template-content.js',
  'lit/directives/until.js',
  '@lit/context',
  '@lit/task',
]

export const kitName = '@socle/sdk/ui'

/** Names the page has for everybody's UI. */
export const sharedNames: readonly string[] = [...litNames, ...litMoreNames, kitName]

/** What stands behind the names of others: the versions the shell is built with. */
export const sharedVersions: Readonly<Record<string, string>> = {
  lit: '3.3.3',
  '@lit/context': '1.1.6',
  '@lit/task': '1.0.3',
}

/**
 * Names a plugin's UI imports from the page; everything else it bundles. A package whose version there does not suit the
 * plugin's range is bundled too: it runs on a copy of its own, beside the page's.
 *
 * @param ranges - dependencies of its package by name
 */
export function sharedNamesFor(ranges: Readonly<Record<string, string>>): readonly string[] {
  const own = Object.entries(sharedVersions)
    .filter(([name, version]) => ranges[name] !== undefined && !satisfies(version, ranges[name]))
    .map(([name]) => name)
  return sharedNames.filter((name) => !own.some((it) => name === it || name.startsWith(`${it}/`)))
}
