import { Visitor } from '@swc/core/Visitor.js'

// swc's visitor is older than `using`, and dependency-cruiser reads no file that has a statement its visitor does not
// know. A `using` statement imports nothing, but what it calls may.
const { visitStatement } = Visitor.prototype
Visitor.prototype.visitStatement = function (statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement)
  this.visitVariableDeclarators(statement.decls)
  return statement
}

// Who may import whom. Each rule is a sentence of the design; core/test/boundaries.test.ts plants a violation of every one.

/** A plugin or an example: built-in plugins have no privilege, so an example plugin obeys the same rules. */
const plugin = '^(?:plugins|examples)/([^/]+)/'
const pluginServer = `${plugin}src/(?!ui/)`
const pluginUi = `${plugin}src/ui/`
const contract = '^(?:plugins|examples)/[^/]+/src/contract\\.ts$'
const ownContract = '^(?:plugins|examples)/$1/src/contract\\.ts$'
/** What a package lists in its `exports`, seen from outside. */
const pluginEntries = '^(?:plugins|examples)/[^/]+/(?:src/(?:plugin|contract|ui/index)|testing/index)\\.ts$'
/** What the whole stands on; a plugin gets these through the sdk, in the versions the core runs. */
const platformParts =
  '(?:^|node_modules/)(?:@mikro-orm/|@hono/|hono/|kysely/|pg/|pg-boss/|better-auth/|tsyringe/|pino/|zod/|@electric-sql/)'
const browserParts = '(?:^|node_modules/)(?:lit/|lit-html/|lit-element/|@lit/|@vaadin/|@dnd-kit/|lucide/|@tanstack/)'
const kitEntries = '^sdk/ui/(?:index|forms|charts|editor|board|calendar)\\.ts$'
const data = '\\.(?:json|css)$'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'core-knows-no-plugin',
      comment: 'The core never names its members: it imports only itself. Take what a plugin adds from contributions.',
      severity: 'error',
      from: { path: '^core/(?:src|bin|migrations)/' },
      to: { path: '^(?:plugins|examples|sdk|ui-shell)/' },
    },
    {
      name: 'sdk-leans-only-on-core',
      comment: 'The server part of the sdk is the public face of the core: it takes what core/src/index.ts lists.',
      severity: 'error',
      from: { path: '^sdk/(?:src|testing|pack|bin)/' },
      to: {
        path: '^(?:plugins|examples|sdk/ui|ui-shell|core)/',
        pathNot: '^core/src/(?:index|testing/index)\\.ts$',
      },
    },
    {
      name: 'plugins-see-only-the-sdk',
      comment: 'A plugin imports @socle/sdk and nothing of the platform beside it, as a third party would.',
      severity: 'error',
      from: { path: pluginServer, pathNot: '^examples/company/' },
      to: {
        path: ['^(?:core|sdk|ui-shell)/', platformParts],
        pathNot: '^sdk/src/index\\.ts$',
      },
    },
    {
      name: 'plugin-tests-use-the-test-kit',
      comment: 'Tests of a plugin see the sdk, its test kit and package entries: what a third party would have.',
      severity: 'error',
      from: { path: `${plugin}(?:test|testing)/`, pathNot: '^examples/company/' },
      to: {
        path: '^(?:core|sdk|ui-shell)/',
        pathNot: ['^sdk/src/index\\.ts$', '^sdk/testing/index\\.ts$', kitEntries],
      },
    },
    {
      name: 'plugins-meet-through-contracts',
      comment: 'Another plugin is known by its contract only: its token, its events, its slots.',
      severity: 'error',
      from: { path: `${plugin}src/`, pathNot: '^examples/company/' },
      to: {
        path: '^(?:plugins|examples)/',
        pathNot: ['^(?:plugins|examples)/$1/', contract],
      },
    },
    {
      name: 'packages-are-entered-by-their-doors',
      comment: 'From outside, a plugin is what its package.json exports.',
      severity: 'error',
      from: { path: ['^(?:core|sdk|ui-shell)/', `${plugin}(?!src/)`, '^examples/company/'] },
      to: {
        path: '^(?:plugins|examples)/',
        pathNot: [pluginEntries, '^(?:plugins|examples)/$1/'],
      },
    },
    {
      name: 'contracts-are-light',
      comment: "A contract imports the sdk, at most others' contracts: whoever reads it must not load its provider.",
      severity: 'error',
      from: { path: '^(?:plugins|examples)/([^/]+)/src/.*(?<![^/])contract\\.ts$' },
      to: {
        pathNot: ['^sdk/src/index\\.ts$', contract, '^(?:plugins|examples)/$1/src/[^/]+/contract\\.ts$'],
      },
    },
    {
      name: 'browser-code-stays-in-ui',
      comment: 'Server code loads neither an element nor a library of the browser.',
      severity: 'error',
      from: {
        path: [
          '^core/',
          '^sdk/(?:src|testing|pack|bin)/',
          pluginServer,
          '^ui-shell/[^/]+\\.ts$',
          '^ui-shell/src/build/',
        ],
      },
      to: { path: ['^sdk/ui/', '^ui-shell/src/(?!build/)', pluginUi, browserParts], pathNot: data },
    },
    {
      name: 'ui-kit-stands-alone',
      comment: 'The kit goes to the browser: it imports only itself.',
      severity: 'error',
      from: { path: '^sdk/ui/' },
      to: { path: '^(?:core|sdk|ui-shell|plugins|examples)/', pathNot: '^sdk/ui/' },
    },
    {
      name: 'shell-sees-only-the-kit',
      comment: 'The shell knows no plugin and no server code: it reads the shell document.',
      severity: 'error',
      from: { path: '^ui-shell/src/' },
      to: { path: '^(?:core|sdk|plugins|examples)/', pathNot: [kitEntries, `^sdk/ui/.*${data}`] },
    },
    {
      name: 'plugin-ui-sees-only-the-kit',
      comment: 'Elements import the kit, their own ui/ and contract. Rules and entities stay on the server.',
      severity: 'error',
      from: { path: pluginUi },
      to: {
        path: '^(?:core|sdk|ui-shell|(?:plugins|examples)/$1/)',
        pathNot: [
          kitEntries,
          '^(?:plugins|examples)/$1/(?:src/ui|node_modules)/',
          ownContract,
          '^(?:plugins|examples)/$1/.*\\.json$',
        ],
      },
    },
    {
      name: 'contracts-reach-the-browser-as-types',
      comment: "Another plugin's contract would bring the server's sdk into the bundle: import its types.",
      severity: 'error',
      from: { path: pluginUi },
      to: {
        path: contract,
        pathNot: ownContract,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-app-uses-tsyringe',
      comment:
        'One composition root. Everything else takes what it needs as parameters and is built in tests with `new`.',
      severity: 'error',
      from: { pathNot: '^core/src/app\\.ts$' },
      to: { path: '(?:^|node_modules/)tsyringe(?:/|$)' },
    },
    {
      name: 'no-cycles',
      comment:
        'Two files that need each other are one file, or need a third. Types may refer to each other, what loads later to what loaded it.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'dynamic-import'] } },
    },
    {
      name: 'imports-resolve',
      comment: 'A path that leads nowhere would pass every other rule.',
      severity: 'error',
      from: {},
      // `?inline` is the bundler's: a style sheet as text.
      to: { couldNotResolve: true, pathNot: '\\.css\\?inline$' },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['(?:^|/)dist/', '(?:^|/)fixtures/', '^sdk/template/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['socle-source', 'import', 'node', 'default', 'types'],
    },
  },
}
