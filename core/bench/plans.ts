import { PostgresQueryCompiler, type KyselyPlugin } from 'kysely'
import pg from 'pg'
import type { App } from '../src/app.ts'
import type { Database } from '../src/database/database.ts'
import type { Context } from '../src/context.ts'
import { timelineOf } from '../src/entities/timeline.ts'
import type { RecordEngine } from '../src/records/engine.ts'
import type { Filled } from './fill.ts'
import type { Deep } from './scenarios.ts'
import { ownField } from './template.ts'

interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** Statements that units of work send, kept while a plan check runs one. */
export class Recorder {
  #kept: Statement[] | undefined

  /** The database as it is, but for an ear at every unit's transaction. */
  around(database: Database): Database {
    const compiler = new PostgresQueryCompiler()
    const ear: KyselyPlugin = {
      transformQuery: ({ node, queryId }) => {
        this.#kept?.push(compiler.compileQuery(node, queryId))
        return node
      },
      transformResult: async ({ result }) => result,
    }
    return {
      ...database,
      transaction: (context, work, signal) => database.transaction(context, (tx) => work(tx.withPlugin(ear)), signal),
    }
  }

  async during(work: () => Promise<unknown>): Promise<readonly Statement[]> {
    const kept: Statement[] = []
    this.#kept = kept
    try {
      await work()
    } finally {
      this.#kept = undefined
    }
    return kept
  }
}

export interface PlanCheck {
  readonly title: string
  /** Nodes from the top, with the index each scan uses. */
  readonly nodes: readonly string[]
  readonly indexed: boolean
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Relation Name'?: string
  readonly Plans?: readonly PlanNode[]
}

/** Explains, as the application's role, what the platform really sends for the lists everybody lives in. */
export async function checkPlans(
  app: App,
  recorder: Recorder,
  url: string,
  {
    workspace: id,
    owner,
    deep,
    accounts,
    columns,
  }: Pick<Filled, 'workspace' | 'owner' | 'accounts' | 'columns'> & { deep: Deep },
): Promise<PlanCheck[]> {
  const workspace = await app.kernel.workspace(id)
  if (!workspace) throw new Error(`Workspace ${id} is gone.`)
  const authority = await app.kernel.parts.authorities.of(workspace, { user: owner })
  const asSystem = (work: (ctx: Context) => Promise<unknown>) => () =>
    app.kernel.asSystem(workspace, { origin: 'system' }, work)
  const asOwner = (work: (ctx: Context) => Promise<unknown>) => () =>
    app.kernel.unit(
      {
        workspace,
        actor: { type: 'user', id: owner, name: 'Owner', locale: 'en' },
        authority,
        cause: { origin: 'ui' },
        plugin: 'core',
      },
      work,
    )
  const filter = 'sourceChannel = "web" and language = "fr" and doNotMail = false'
  const about = { resource: 'core.account', id: accounts[0] ?? '' }
  /** What is asked, who asks, and a part of the statement that is explained, without quotes: the first that reads contacts, where none is given. */
  const checks: readonly (readonly [string, () => Promise<unknown>, part?: string])[] = [
    ['get', asSystem(({ records }) => records.get('core.contact', deep.id))],
    [
      'list, three filters, by name',
      asSystem(({ records }) => records.list('core.contact', { filter, sort: 'name', count: 'none' })),
    ],
    [
      'list, newest first',
      asSystem(({ records }) => records.list('core.contact', { sort: '-createdAt', count: 'none' })),
    ],
    [
      `keyset at depth ${deep.depth.toLocaleString('en')}`,
      asSystem(({ records }) => records.list('core.contact', { sort: 'name', after: deep.cursor })),
    ],
    [
      'own records, newest first',
      asOwner(({ records }) => records.list('core.contact', { sort: '-createdAt', count: 'none' })),
    ],
    [
      'list, three filters, by an indexed own field',
      asSystem(({ records }) => records.list('core.contact', { filter, sort: `-${ownField}`, count: 'none' })),
    ],
    [
      'timeline, its activities',
      asSystem((ctx) => timelineOf(ctx, ctx.records as RecordEngine, about, undefined)),
      'core.activity_link',
    ],
    [
      'board, cards of each column',
      asSystem(({ records }) =>
        (records as RecordEngine).board('core.account', { by: 'owner', sort: '-createdAt', columns }),
      ),
      'as _column',
    ],
    ['own records, by name', asOwner(({ records }) => records.list('core.contact', { sort: 'name', count: 'none' }))],
  ]
  const results: PlanCheck[] = []
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const [title, run, part = 'core.contact'] of checks) {
      const statement = (await recorder.during(run)).find(({ sql: text }) => text.replaceAll('"', '').includes(part))
      if (!statement) throw new Error(`"${title}" sent nothing with ${part}.`)
      const nodes = await explained(client, id, statement)
      results.push({ title, nodes, indexed: !nodes.some((node) => node.startsWith('Seq Scan')) })
    }
  } finally {
    await client.end()
  }
  return results
}

async function explained(
  client: pg.Client,
  workspace: string,
  { sql: text, parameters }: Statement,
): Promise<string[]> {
  await client.query(
    `begin; set local jit = off; set local role socle_app; set local app.workspace = '${workspace}'; set local app.partner = '*'`,
  )
  try {
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`explain (format json) ${text}`, [
      ...parameters,
    ])
    return rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan }) => nodesOf(Plan)))
  } finally {
    await client.query('rollback')
  }
}

function nodesOf(node: PlanNode): string[] {
  const on = node['Index Name'] ?? node['Relation Name']
  return [`${node['Node Type']}${on === undefined ? '' : ` (${on})`}`, ...(node.Plans ?? []).flatMap(nodesOf)]
}
