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

/** Names a plugin's UI may import; everything else it bundles. */
export const sharedNames: readonly string[] = [...litNames, ...litMoreNames, kitName]
