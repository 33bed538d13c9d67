import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { parse } from '@swc/core'
import { describe, expect, test } from 'vitest'

const repository = resolve(import.meta.dirname, '../..')
const folders = ['core', 'sdk', 'plugins', 'ui-shell', 'examples']

interface Cruise {
  readonly modules: readonly { readonly source: string }[]
  readonly summary: {
    readonly totalCruised: number
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] }
    readonly violations: readonly {
      readonly from: string
      readonly to: string
      readonly rule: { readonly name: string }
    }[]
  }
}

/** Runs what `npm run boundaries` runs, in another folder if asked. */
async function cruise(root: string): Promise<Cruise> {
  const bin = join(repository, 'node_modules/.bin/depcruise')
  const args = [bin, '--config', join(repository, '.dependency-cruiser.js'), '--output-type', 'json', ...folders]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 2 ** 28 })
  return JSON.parse(stdout) as Cruise
}

const said = ({ summary }: Cruise): string[] =>
  summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} → ${to}`)

/** A platform in small where everyone keeps to the rules. */
const tree: Readonly<Record<string, string>> = {
  'core/package.json': `{ "name": "@socle/core", "type": "module", "exports": { ".": "./src/index.ts" } }`,
  'core/src/index.ts': `export { createApp } from './app.ts'`,
  'core/src/app.ts': `import { container } from 'tsyringe'\nimport { rooms } from './rooms.ts'\nexport const createApp = () => container(rooms)`,
  'core/src/rooms.ts': `export const rooms = []`,
  'core/src/hen.ts': `import { eggs } from './eggs.ts'\nexport interface Hen { readonly eggs: typeof eggs }`,
  'core/src/eggs.ts': `import type { Hen } from './hen.ts'\nexport const eggs: Hen[] = []`,
  'sdk/package.json': `{ "name": "@socle/sdk", "type": "module", "exports": { ".": "./src/index.ts", "./ui": "./ui/index.ts" } }`,
  'sdk/src/inside.ts': `export const inside = []`,
  'sdk/src/index.ts': `export { createApp } from '@socle/core'`,
  'sdk/ui/index.ts': `export * from 'lit'`,
  'ui-shell/src/main.ts': `import '@socle/sdk/ui'`,
  'plugins/loans/package.json': `{ "name": "@socle/loans", "type": "module", "exports": { ".": "./src/plugin.ts", "./contract": "./src/contract.ts" } }`,
  'plugins/loans/src/plugin.ts': `import { createApp } from '@socle/sdk'\nimport { Loans } from './contract.ts'\nexport const loansPlugin = [createApp, Loans]`,
  'plugins/loans/src/contract.ts': `import { createApp } from '@socle/sdk'\nexport const Loans = createApp`,
  'plugins/loans/src/loan-service.ts': `import { Repairs } from '@socle/repairs/contract'\nexport const LoanService = Repairs`,
  'plugins/loans/src/ui/index.ts': `import '@socle/sdk/ui'\nimport type { Loans } from '../contract.ts'\nexport type Held = typeof Loans`,
  'plugins/repairs/package.json': `{ "name": "@socle/repairs", "type": "module", "exports": { ".": "./src/plugin.ts", "./contract": "./src/contract.ts" } }`,
  'plugins/repairs/src/plugin.ts': `export const repairsPlugin = []`,
  'plugins/repairs/src/contract.ts': `export const Repairs = []`,
  'plugins/repairs/src/repair-service.ts': `export const RepairService = []`,
  'examples/company/start.ts': `import '@socle/core'\nimport '@socle/loans'`,
  'node_modules/tsyringe/package.json': `{ "name": "tsyringe", "main": "index.js" }`,
  'node_modules/tsyringe/index.js': ``,
  'node_modules/lit/package.json': `{ "name": "lit", "main": "index.js" }`,
  'node_modules/lit/index.js': ``,
  'node_modules/kysely/package.json': `{ "name": "kysely", "main": "index.js" }`,
  'node_modules/kysely/index.js': ``,
}

/** Rule → a file that breaks it, and how. */
const planted: Readonly<Record<string, readonly [file: string, code: string][]>> = {
  'core-knows-no-plugin': [
    ['core/src/rooms.ts', `export { loansPlugin as rooms } from '@socle/loans'`],
    ['core/bin/socle.ts', `await import('../../plugins/loans/src/plugin.ts')`],
    ['core/src/kit.ts', `import type {} from '@socle/sdk'`],
  ],
  'sdk-leans-only-on-core': [
    ['sdk/src/reach.ts', `import '../../core/src/rooms.ts'`],
    ['sdk/testing/index.ts', `import '@socle/loans'`],
  ],
  'plugins-see-only-the-sdk': [
    ['plugins/loans/src/routes.ts', `import '@socle/core'`],
    ['plugins/loans/src/guards.ts', `import { sql } from 'kysely'`],
    ['plugins/loans/src/jobs.ts', `import '../../../sdk/src/inside.ts'`],
  ],
  'plugin-tests-use-the-test-kit': [
    ['plugins/loans/test/lending.test.ts', `import '@socle/core'`],
    ['plugins/loans/test/return.test.ts', `await using app = (await import('@socle/core')).createApp()\nawait app`],
  ],
  'plugins-meet-through-contracts': [
    ['plugins/loans/src/subscribers.ts', `import '@socle/repairs'`],
    ['plugins/loans/src/demo.ts', `import type {} from '../../repairs/src/repair-service.ts'`],
  ],
  'packages-are-entered-by-their-doors': [
    ['examples/company/start.ts', `import '../../plugins/repairs/src/repair-service.ts'`],
    ['core/test/whole.test.ts', `import '../../plugins/repairs/src/repair-service.ts'`],
  ],
  'contracts-are-light': [
    [
      'plugins/loans/src/contract.ts',
      `import { LoanService } from './loan-service.ts'\nexport const Loans = LoanService`,
    ],
  ],
  'browser-code-stays-in-ui': [
    ['plugins/loans/src/settings.ts', `import './ui/index.ts'`],
    ['core/src/page.ts', `import 'lit'`],
  ],
  'ui-kit-stands-alone': [['sdk/ui/server.ts', `import '../src/index.ts'`]],
  'shell-sees-only-the-kit': [['ui-shell/src/main.ts', `import '@socle/loans/contract'`]],
  'plugin-ui-sees-only-the-kit': [['plugins/loans/src/ui/loans-tab.ts', `import '../loan-service.ts'`]],
  'contracts-reach-the-browser-as-types': [
    [
      'plugins/loans/src/ui/loans-list.ts',
      `import { Repairs } from '@socle/repairs/contract'\nexport const held = Repairs`,
    ],
  ],
  'only-app-uses-tsyringe': [
    ['core/src/jobs.ts', `import { container } from 'tsyringe'\nexport const jobs = container`],
  ],
  'no-cycles': [['core/src/eggs.ts', `import * as hen from './hen.ts'\nexport const eggs = [hen]`]],
  'imports-resolve': [['plugins/repairs/src/resources.ts', `import './gone.ts'`]],
}

const packages = { core: 'core', sdk: 'sdk', loans: 'plugins/loans', repairs: 'plugins/repairs' }

async function layOut(files: Readonly<Record<string, string>>): Promise<AsyncDisposable & { readonly root: string }> {
  const root = await mkdtemp(join(tmpdir(), 'socle-boundaries-'))
  for (const [path, content] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) {
    await mkdir(join(root, dirname(path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  await mkdir(join(root, 'node_modules/@socle'), { recursive: true })
  for (const [name, folder] of Object.entries(packages)) {
    await symlink(join(root, folder), join(root, 'node_modules/@socle', name))
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) }
}

// Reading every module takes a second alone, and many times that beside a full test run.
describe('who may import whom', { timeout: 120_000 }, () => {
  test('the code of this repository keeps to every rule, and was read', async () => {
    const result = await cruise(repository)
    expect(result.summary.totalCruised).toBeGreaterThan(0)
    expect(result.modules.map(({ source }) => source)).toContain('core/src/errors.ts')
    expect(said(result)).toEqual([])
  })

  test('a tree that keeps to the rules passes', async () => {
    await using clean = await layOut(tree)
    const result = await cruise(clean.root)
    expect(result.summary.totalCruised).toBeGreaterThanOrEqual(
      Object.keys(tree).filter((it) => it.endsWith('.ts')).length,
    )
    expect(said(result)).toEqual([])
  })

  test('a violation of each rule is caught under the name of that rule', async () => {
    const plants = Object.entries(planted).flatMap(([rule, files]) =>
      files.map(([file, code]) => ({ rule, file, code })),
    )
    await using spoiled = await layOut({ ...tree, ...Object.fromEntries(plants.map(({ file, code }) => [file, code])) })
    const { summary } = await cruise(spoiled.root)

    // A cycle is told once, at whichever of its files was read first: hence both ends.
    const caught = new Set(
      summary.violations.flatMap(({ from, to, rule }) => [`${rule.name}: ${from}`, `${rule.name}: ${to}`]),
    )
    expect(plants.map(({ rule, file }) => `${rule}: ${file}`).filter((it) => !caught.has(it))).toEqual([])
    expect(summary.ruleSetUsed.forbidden.map(({ name }) => name).toSorted()).toEqual(Object.keys(planted).toSorted())
  })
})

/** Files whose literals may look like a plugin, and why. */
const exempt: Readonly<Record<string, string>> = {
  'core/src/records/import/usual-words.ts': 'headings of other systems\' files, such as "Sales Rep"',
}

describe('what the core calls by name', () => {
  test('no plugin stands in the code of the core or the sdk', async () => {
    const plugins = await readdir(join(repository, 'plugins'))
    const files = (await Promise.all(['core/src', 'sdk/src'].map(sources))).flat().filter((it) => !(it in exempt))
    expect(plugins.length).toBeGreaterThan(0)
    expect(files.length).toBeGreaterThan(0)

    const found: string[] = []
    for (const file of files) {
      const literals = await literalsOf(await readFile(join(repository, file), 'utf8'))
      for (const literal of literals) {
        if (plugins.some((id) => names(id).test(literal))) found.push(`${file}: ${JSON.stringify(literal)}`)
      }
    }
    expect(found).toEqual([])
  })

  test.each(['sales', '/api/sales/opportunities', 'sales.quote.signed', 'select 1 from sales.quote', '@socle/sales'])(
    '%j names a plugin',
    (literal) => expect(literal).toMatch(names('sales')),
  )

  test.each(['The service is not registered.', 'services', 'service-token'])('%j names none', (literal) =>
    expect(literal).not.toMatch(names('service')),
  )
})

/** Matches a plugin's id as an id, a path, a schema or the head of one; not as a word of a sentence. */
function names(id: string): RegExp {
  const either = `(?:${id}|${id.replaceAll('-', '_')})`
  return new RegExp(`^${either}$|(?<![\\w-])${either}\\.[a-z_]|[/@:"]${either}(?:[/:"]|$)|^${either}[/:]`)
}

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(join(repository, folder), { recursive: true }).catch(() => [])
  return entries.filter((it) => it.endsWith('.ts')).map((it) => join(folder, it))
}

/** Strings and the fixed parts of templates; comments may well speak of a plugin. */
async function literalsOf(code: string): Promise<string[]> {
  const literals: string[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if ('type' in node && node.type === 'StringLiteral' && 'value' in node) literals.push(String(node.value))
    if ('type' in node && node.type === 'TemplateElement' && 'raw' in node) literals.push(String(node.raw))
    Object.values(node).forEach(visit)
  }
  visit(await parse(code, { syntax: 'typescript', target: 'esnext' }))
  return literals
}
