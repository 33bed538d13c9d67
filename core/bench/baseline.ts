// What the platform is measured against, in a process of its own: Hono and bare `pg` on the same tables with the same
// SQL written by hand, statements named, JSON made by PostgreSQL. No sign-in, no permission, no row level security.
import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import pg from 'pg'
import { uuidv7 } from 'uuidv7'
import { answerUse } from './processes.ts'

const [url, workspace, contactColumns, accountColumns] = process.argv.slice(2) as [string, string, string, string]
/** `column as "field"` of every field of a resource, as the platform answers them. */
const fieldsOf = (columns: string) => (alias: string) =>
  (JSON.parse(columns) as { name: string; column: string }[])
    .map(({ name, column }) => `${alias}."${column}" as "${name}"`)
    .join(', ')
const fields = fieldsOf(contactColumns)
const accountFields = fieldsOf(accountColumns)
const pool = new pg.Pool({ connectionString: url, max: 10, options: '-c jit=off' })

// Each row printed on its own and joined as text: json_agg prints every row twice.
const rowsAsJson = `'{"data":[' || coalesce(string_agg(row_to_json(r)::text, ','), '') || ']}' as json`
const statements = {
  get: `select json_build_object('data', row_to_json(r))::text as json from (
    select ${fields('t')} from core.contact t where t.workspace = $1 and t.id = $2) r`,
  list: `select ${rowsAsJson} from (
    select ${fields('t')} from core.contact t
    where t.workspace = $1 and t.deleted_at is null and t.source_channel = $2 and t.language = $3 and t.do_not_mail = $4
    order by t.name collate "und-x-icu", t.id limit 51) r`,
  own: `select ${rowsAsJson} from (
    select ${fields('t')} from core.contact t
    where t.workspace = $1 and t.workspace = '${workspace}'::uuid and t.deleted_at is null
      and t.source_channel = $2 and t.language = $3 and t.do_not_mail = $4
      and core.json_number(core.custom_json(t.custom, 'score')) is not null
    order by core.json_number(core.custom_json(t.custom, 'score')) desc, t.id desc limit 51) r`,
  count: `select count(*) as n from (select 1 from core.contact t
    where t.workspace = $1 and t.deleted_at is null and t.source_channel = $2 and t.language = $3 and t.do_not_mail = $4 limit 1001) capped`,
  first: `select ${rowsAsJson} from (
    select ${fields('t')} from core.contact t where t.workspace = $1 and t.deleted_at is null
    order by t.name collate "und-x-icu", t.id limit 51) r`,
  after: `select ${rowsAsJson} from (
    select ${fields('t')} from core.contact t
    where t.workspace = $1 and t.deleted_at is null and (t.name collate "und-x-icu", t.id) > ($2, $3::uuid)
    order by t.name collate "und-x-icu", t.id limit 51) r`,
  search: `with hits as (
      select d.record, d.title, ts_rank(d.words, to_tsquery('simple', core.fold($2))) as rank
      from core.search_document d where d.workspace = $1 and d.words @@ to_tsquery('simple', core.fold($2))
      order by rank desc, d.title, d.record limit 420)
    select ${rowsAsJson} from (
      select 'core.contact' as resource, t.id, hits.title, t.job_title as subtitle
      from hits join core.contact t on t.workspace = $1 and t.id = hits.record and t.deleted_at is null
      order by hits.rank desc, hits.title, hits.record limit 20) r`,
  // What there is to know, without a word of explanation: the roles, whether each one's condition holds, and the shares.
  explain: `select ${rowsAsJson} from (
    select r.id, r.name, r.grants, a.annual_revenue > 1000000 and a.lifecycle = 'client' as holds, a.owner = $2::uuid as own,
      exists (select from core.share s where s.workspace = $1 and s.resource = 'core.account' and s.record = a.id and s.user_id = $2::uuid
        and s.deleted_at is null) as shared
    from core.role_assignment g join core.role r on r.workspace = $1 and r.id = g.role_id and r.deleted_at is null
    join core.account a on a.workspace = $1 and a.id = $3::uuid
    where g.workspace = $1 and g.user_id = $2::uuid and g.deleted_at is null) r`,
  searchTeam: `with hits as (
      select d.record, d.resource, d.title, ts_rank(d.words, to_tsquery('simple', core.fold($2))) as rank
      from core.search_document d
      where d.workspace = $1 and d.words @@ to_tsquery('simple', core.fold($2)) and (d.team = $3 or d.owner = $4)
      order by rank desc, d.title, d.record limit 20)
    select ${rowsAsJson} from (
      select hits.resource, hits.record as id, hits.title, coalesce(c.job_title, a.industry, l.company_name) as subtitle
      from hits
      left join core.contact c on hits.resource = 'core.contact' and c.workspace = $1 and c.id = hits.record and c.deleted_at is null
      left join core.account a on hits.resource = 'core.account' and a.workspace = $1 and a.id = hits.record and a.deleted_at is null
      left join core.lead l on hits.resource = 'core.lead' and l.workspace = $1 and l.id = hits.record and l.deleted_at is null
      order by hits.rank desc, hits.title, hits.record) r`,
  page: `select json_build_object(
      'data', (select row_to_json(a) from core.account a where a.workspace = $1 and a.id = $2),
      'owner', (select row_to_json(m) from (
        select m.id, m.name from core.account a join core.member m on m.workspace = $1 and m.id = a.owner where a.workspace = $1 and a.id = $2) m),
      'timeline', (select json_agg(entry) from (
        select x.*, l.at, m.name as owner_name
        from (select activity_id, at from core.activity_link where workspace = $1 and record = $2 order by at desc, activity_id desc limit 31) l
        join core.activity x on x.workspace = $1 and x.id = l.activity_id and x.deleted_at is null
        left join core.member m on m.workspace = $1 and m.id = x.owner
        order by l.at desc) entry),
      'changes', (select json_agg(entry) from (
        select c.*, s.actor_name, s.origin from core.change c join core.change_set s on s.id = c.change_set
        where c.workspace = $1 and c.record = $2 order by c.version desc limit 31) entry))::text as json`,
  board: `select json_agg(json_build_object('key', f.owner, 'count', f.n, 'sum', f.sum, 'cards', c.cards) order by f.n desc)::text as json
    from (
      select t.owner, count(*) as n, sum(t.annual_revenue)::text as sum
      from core.account t where t.workspace = $1 and t.deleted_at is null group by t.owner order by n desc limit 8) f
    cross join lateral (
      select json_agg(card) as cards from (
        select ${accountFields('t')} from core.account t
        where t.workspace = $1 and t.owner = f.owner and t.deleted_at is null order by t.created_at desc, t.id desc limit 21) card) c`,
  aggregate: `select ${rowsAsJson} from (
    select t.lifecycle, count(*) as count, coalesce(sum(t.annual_revenue), 0)::text as "sum:annualRevenue"
    from core.account t where t.workspace = $1 and t.deleted_at is null group by 1 order by 1) r`,
  insert: `insert into core.contact as t (id, workspace, name, first_name, last_name, job_title, email, phone, phone_norm, language, created_at, updated_at)
    values ($2, $1, $3, $4, $5, $6, $7, $8, $9, $10, now(), now()) returning json_build_object('data', row_to_json(t))::text as json`,
  update: `update core.contact t set source = $4, language = $5, version = version + 1, updated_at = now()
    where workspace = $1 and id = $2 and version = $3 returning json_build_object('data', row_to_json(t))::text as json`,
  ledger: `with head as (
      insert into core.change_set (id, workspace, actor_type, actor_name, origin, at) values ($2, $1, 'key', 'Bench', 'api', now()))
    insert into core.change (id, workspace, change_set, resource, record, action, version, fields, at)
    values ($3, $1, $2, 'core.contact', $4, $5, $6, $7::jsonb, now())`,
  event: `insert into core.event (id, workspace, name, version, key, payload, change_set, at)
    values ($2, $1, $3, 1, $4, $5::jsonb, $6, now())`,
}
type Name = keyof typeof statements
type Runner = Pick<pg.Pool, 'query'> | Pick<pg.PoolClient, 'query'>

async function run(name: Name, values: readonly unknown[], on: Runner = pool): Promise<string> {
  const { rows } = await on.query<{ json?: string }>({ name, text: statements[name], values: [workspace, ...values] })
  return rows[0]?.json ?? ''
}

async function inTransaction(work: (client: pg.PoolClient) => Promise<string>): Promise<string> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const answer = await work(client)
    await client.query('commit')
    return answer
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

/** The ledger's rows and the outbox's, each by an insert of its own. */
async function tell(client: pg.PoolClient, id: string, action: 'create' | 'update', version: number, changes: object) {
  const changeSet = uuidv7()
  await run('ledger', [changeSet, uuidv7(), id, action, version, JSON.stringify(changes)], client)
  const payload = JSON.stringify({ record: id, version, changed: Object.keys(changes) })
  await run('event', [uuidv7(), `core.contact.${action}d`, id, payload, changeSet], client)
}

interface NewContact {
  readonly firstName: string
  readonly lastName: string
  readonly jobTitle: string
  readonly email: string
  readonly phone: string
  readonly language: string
}
const row = (id: string, it: NewContact) => [
  id,
  `${it.firstName} ${it.lastName}`,
  it.firstName,
  it.lastName,
  it.jobTitle,
  it.email,
  it.phone,
  it.phone.replaceAll(' ', ''),
  it.language,
]

const json = (request: Context, text: string) => request.body(text, 200, { 'content-type': 'application/json' })
const app = new Hono()
app.get('/contacts/:id', async (request) => json(request, await run('get', [request.req.param('id')])))
app.get('/list', async (request) => {
  const { channel, language } = request.req.query()
  return json(request, await run('list', [channel, language, false]))
})
app.get('/own', async (request) => {
  const { channel, language } = request.req.query()
  return json(request, await run('own', [channel, language, false]))
})
app.get('/page/:id', async (request) => json(request, await run('page', [request.req.param('id')])))
app.get('/board', async (request) => json(request, await run('board', [])))
app.get('/counted', async (request) => {
  const { channel, language } = request.req.query()
  const list = await run('list', [channel, language, false])
  const { rows } = await pool.query<{ n: string }>({
    name: 'count',
    text: statements.count,
    values: [workspace, channel, language, false],
  })
  return json(request, `${list.slice(0, -1)},"count":${rows[0]?.n ?? 0}}`)
})
app.get('/first', async (request) => json(request, await run('first', [])))
app.get('/after', async (request) => {
  const { name, id } = request.req.query()
  return json(request, await run('after', [name, id]))
})
const queryOf = (request: Context) =>
  ((request.req.query('q') ?? '').match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => `${word}:*`).join(' & ')
app.get('/search', async (request) => json(request, await run('search', [queryOf(request)])))
app.get('/search-team', async (request) => {
  const { team, reader } = request.req.query()
  return json(request, await run('searchTeam', [queryOf(request), team, reader]))
})
app.get('/explain', async (request) => {
  const { user, account } = request.req.query()
  return json(request, await run('explain', [user, account]))
})
app.get('/aggregate', async (request) => json(request, await run('aggregate', [])))
app.post('/contacts', async (request) => {
  const contact = await request.req.json<NewContact>()
  const id = uuidv7()
  return json(
    request,
    await inTransaction(async (client) => {
      const answer = await run('insert', row(id, contact), client)
      const changes = Object.fromEntries(Object.entries(contact).map(([name, value]) => [name, [null, value]]))
      await tell(client, id, 'create', 1, changes)
      return answer
    }),
  )
})
app.post('/bare', async (request) =>
  json(request, await run('insert', row(uuidv7(), await request.req.json<NewContact>()))),
)
app.patch('/contacts/:id', async (request) => {
  const { source, language, version } = await request.req.json<{ source: string; language: string; version: number }>()
  const id = request.req.param('id')
  return json(
    request,
    await inTransaction(async (client) => {
      const answer = await run('update', [id, version, source, language], client)
      if (answer === '') throw new Error(`Contact ${id} is not at version ${version}.`)
      await tell(client, id, 'update', version + 1, { source: [null, source], language: [null, language] })
      return answer
    }),
  )
})

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
  process.send?.({ url: `http://127.0.0.1:${port}` })
})
answerUse(async () => {
  server.close()
  await pool.end()
})
