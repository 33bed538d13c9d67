import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { makeKey } from '../src/identity/api-keys.ts'
import { hashPassword, oneTimePassword } from '../src/identity/passwords.ts'

export const firstNames =
  'Léa Jules Emma Louis Chloé Hugo Manon Lucas Camille Nathan Inès Théo Sarah Gabriel Jade Arthur Louise Raphaël Alice Adam Zoé Noé Anaïs Paul Clara Antoine Julie Maxime Marie Thomas Pauline Nicolas Sophie Julien Aurélie Mathieu Claire Pierre Isabelle François Nathalie Philippe Céline Olivier Hélène Étienne Mireille Bernard Agnès Gérard'.split(
    ' ',
  )
const nameStarts =
  'Mar Dur Ber Lam Rou Gau Mor Fon Che Bou Per Gir Len Vas Col Arn Bla Cor Del Fau Gra Hub Jac Lav Mas Nav Oli Pel Ric Sau'.split(
    ' ',
  )
const nameEnds =
  'tin and nard bert sseau tier eau taine valier langer rin ard oir seur lin oux chet bier mas vel ges ert quot igne son ier art et ac on elle ois ez ault ieux ou ille ain eil ande ot erre'.split(
    ' ',
  )
export const lastNames = nameStarts.flatMap((start) => nameEnds.map((end) => start + end))
const jobs = [
  'Acheteuse',
  'Directeur commercial',
  'Responsable achats',
  'Gérant',
  'Comptable',
  'Cheffe de projet',
  'Technicien',
  'Assistante',
]
const houses = ['Maison', 'Établissements', 'Ateliers', 'Compagnie', 'Comptoir', 'Société', 'Caves', 'Transports']
const places = [
  'Garonne',
  'Valmy',
  'Bellecour',
  'Mistral',
  'Cévennes',
  'Armor',
  'Vosges',
  'Provence',
  'Anjou',
  'Berry',
  'Quercy',
  'Savoie',
]

/** How much a workspace of `rows` contacts holds besides. */
const counts = (rows: number) => ({
  accounts: Math.max(10, Math.floor(rows / 5)),
  leads: Math.max(10, Math.floor((rows * 3) / 10)),
  activities: rows * 5,
})

const tables = [
  'account',
  'contact',
  'lead',
  'activity',
  'activity_link',
  'search_document',
  'search_word',
  'search_near',
  'duplicate_key',
]

/**
 * Fills a workspace with `rows` contacts at a fifth as many accounts, leads and five activities for each contact, by SQL:
 * names as common as names are, ids by age, forty owners in eight teams, and the search documents, words and duplicate
 * keys that the write path would have made.
 */
export async function fill(url: string, workspace: string, rows: number, say: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const step = async (name: string, statement: string, values?: unknown[]) => {
    const started = performance.now()
    await client.query(statement, values)
    say(`  ${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`)
  }
  try {
    // References are right by construction; checking each, and keeping every index on the way, would take minutes.
    await client.query(
      `set session_replication_role = replica; set synchronous_commit = off; set maintenance_work_mem = '1GB'; set work_mem = '256MB'; set jit = off`,
    )
    await client.query('select setseed(0.42)')
    await client.query(`select set_config('app.workspace', $1, false)`, [workspace])
    const { owners, teams } = await fillPeople(client, workspace)
    const indexes = await dropIndexes(client)
    const { accounts, leads, activities } = counts(rows)
    await step('accounts', accountRows, [workspace, accounts, owners, houses, places, teams])
    await step('contacts', contactRows, [workspace, rows, accounts, owners, firstNames, lastNames, jobs, teams])
    await step('leads', leadRows, [workspace, leads, owners, firstNames, lastNames, jobs, teams])
    await step('activities', activityRows, [workspace, activities, accounts, owners, teams])
    await step('timelines', linkRows, [workspace])
    for (const [name, statement] of Object.entries(searchRows)) await step(`${name} for search`, statement, [workspace])
    for (const [name, statement] of Object.entries(wordRows)) await step(name, statement, [workspace])
    for (const [name, statement] of Object.entries(keyRows)) await step(`keys of ${name}`, statement, [workspace])
    await step('indexes', indexes.join('; '))
    await step('statistics', `vacuum (analyze) ${tables.map((table) => `core.${table}`).join(', ')}`)
  } finally {
    await client.end()
  }
}

/** Owners in the order of their names, each with their team. */
async function fillPeople(client: pg.Client, workspace: string): Promise<{ owners: string[]; teams: string[] }> {
  const owners = Array.from({ length: 40 }, () => randomUUID())
  const teams = Array.from({ length: 8 }, () => randomUUID())
  const teamOf = owners.map((_, nth) => teams[nth % teams.length] ?? '')
  await client.query(
    `insert into core.team (id, workspace, name) select id, $1, 'Team ' || nth from unnest($2::uuid[]) with ordinality as t (id, nth)`,
    [workspace, teams],
  )
  await client.query(
    `insert into core.member (id, workspace, name, email, team)
    select o.id, $1, 'Owner ' || nth, nth || '@example.com', team from unnest($2::uuid[], $3::uuid[]) with ordinality as o (id, team, nth)`,
    [workspace, owners, teamOf],
  )
  await client.query(
    `insert into core.team_member (id, workspace, team, user_id, from_date) select gen_random_uuid(), $1, team, id, '2023-01-01' from unnest($2::uuid[], $3::uuid[]) as o (id, team)`,
    [workspace, owners, teamOf],
  )
  return { owners, teams: teamOf }
}

/** What is filled, and who may look at it. */
export interface Filled {
  readonly workspace: string
  /** An API key whose role may do everything. */
  readonly key: string
  /** A member who sees only what they own. */
  readonly owner: string
  /** A member who sees only what their team owns, the team, and what opens their session. */
  readonly colleague: { readonly id: string; readonly team: string; readonly email: string; readonly password: string }
  /** A member with twenty roles, to whom five accounts are shared one by one, and those. */
  readonly manifold: { readonly id: string; readonly shared: readonly string[] }
  readonly contacts: readonly string[]
  /** Accounts with a timeline of twenty entries and more. */
  readonly accounts: readonly string[]
  /** Owners of all accounts: the columns of a board. */
  readonly columns: readonly string[]
  /** Two words that find a handful of contacts each. */
  readonly words: readonly (readonly [string, string])[]
}

/** Lets somebody in who may do everything, somebody who sees their own, and somebody who sees their team's. */
export async function openFilled(url: string, workspace: string, rows: number): Promise<Filled> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows: owners } = await client.query<{ id: string; team: string; email: string; name: string }>(
      `select id, team, email, name from core.member where workspace = $1 and name like 'Owner %' order by length(name), name`,
      [workspace],
    )
    const [owner, colleague, manifold] = owners
    if (!owner || !colleague || !manifold) throw new Error('The filled database has no owners.')
    const [all, own, team, keyId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
    const { key, prefix, hash } = makeKey()
    const grants = (visibility: string) => JSON.stringify([{ resource: '*', action: '*', visibility }])
    await client.query(
      `insert into core.role (id, workspace, name, grants) values ($2, $1, 'Bench', $3::jsonb), ($4, $1, 'Bench own', $5::jsonb), ($6, $1, 'Bench team', $7::jsonb)`,
      [workspace, all, grants('all'), own, grants('own'), team, grants('team')],
    )
    await client.query(
      `insert into core.role_assignment (id, workspace, role_id, user_id) values ($2, $1, $3, $4), ($5, $1, $6, $7)`,
      [workspace, randomUUID(), own, owner.id, randomUUID(), team, colleague.id],
    )
    await client.query(
      `insert into core.api_key (id, workspace, name, prefix, role_id) values ($1, $2, 'Bench', $3, $4)`,
      [keyId, workspace, prefix, all],
    )
    await client.query(`insert into core.api_key_secret (id, workspace, api_key, hash) values ($1, $2, $3, $4)`, [
      randomUUID(),
      workspace,
      keyId,
      hash,
    ])
    const password = oneTimePassword()
    await client.query(`select * from core.login_open($1::uuid, $2, $3, $4, now())`, [
      colleague.id,
      colleague.email,
      colleague.name,
      await hashPassword(password),
    ])
    const { rows: contacts } = await client.query<{ id: string; first: string; last: string }>(
      `select id, first_name as first, last_name as last from core.contact
      tablesample bernoulli (least(100, 300000.0 / $1::float)) limit 2000`,
      [rows],
    )
    const { rows: accounts } = await client.query<{ id: string }>(
      `select id from core.account tablesample bernoulli (least(100, 300000.0 / $1::float)) limit 2000`,
      [rows],
    )
    const shared = accounts.slice(0, 5).map(({ id }) => id)
    await giveManyRoles(client, { workspace, user: manifold.id, shared })
    const { rows: columns } = await client.query<{ owner: string }>(
      `select distinct owner from (select owner from core.account limit 5000) as held`,
    )
    return {
      workspace,
      key,
      owner: owner.id,
      colleague: { id: colleague.id, team: colleague.team, email: colleague.email, password },
      manifold: { id: manifold.id, shared },
      contacts: contacts.map(({ id }) => id),
      accounts: accounts.map(({ id }) => id),
      columns: columns.map((it) => it.owner),
      words: contacts.map(({ first, last }) => [first, last] as const),
    }
  } finally {
    await client.end()
  }
}

/** Twenty roles, each of which lets some accounts be read by a condition of its own; and five accounts shared beside. */
async function giveManyRoles(
  client: pg.Client,
  {
    workspace,
    user,
    shared,
  }: { readonly workspace: string; readonly user: string; readonly shared: readonly string[] },
): Promise<void> {
  await client.query(
    `with role as (
      insert into core.role (id, workspace, name, grants)
      select gen_random_uuid(), $1, 'Bench of twenty ' || n, jsonb_build_array(jsonb_build_object('resource', 'core.account', 'action', 'read',
        'visibility', (array['own', 'team', 'all'])[1 + n % 3], 'condition', 'annualRevenue > ' || n || '000000 and lifecycle = "client"'))
      from generate_series(1, 20) n returning id)
    insert into core.role_assignment (id, workspace, role_id, user_id) select gen_random_uuid(), $1, id, $2 from role`,
    [workspace, user],
  )
  await client.query(
    `insert into core.share (id, workspace, resource, record, user_id, access)
    select gen_random_uuid(), $1, 'core.account', id, $2, 'read' from unnest($3::uuid[]) id`,
    [workspace, user, shared],
  )
}

/** Takes away the indexes no constraint stands on; answers the statements that bring them back. */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i
    where i.indrelid = any ($1::regclass[]) and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`,
    [tables.map((table) => `core.${table}`)],
  )
  for (const { name } of rows) await client.query(`drop index ${name}`)
  return rows.map(({ definition }) => definition)
}

// Ids as UUIDv7 of the row's age in three years, so that they lie in the table as the product's own would.
const idOf = (age: string, salt: string) =>
  `(lpad(to_hex((extract(epoch from ${age}) * 1000)::bigint), 12, '0') || '7' || substr(md5('${salt}' || n), 1, 3) || '8' || substr(md5('${salt}' || n), 4, 15))::uuid`
const age = (count: string) => `timestamptz '2026-03-01' - interval '3 years' * (1 - n / ${count}::float)`

/** One of an array's values, the first ones the likelier the greater the `bend`. */
const oneOf = (array: string, bend = 1) =>
  `(${array})[1 + floor(power(random(), ${bend}) * cardinality(${array}))::int]`

// Eight owners have all accounts: the board of section 7 has as many columns.
const accountRows = `
  insert into core.account (id, workspace, owner, team, created_at, updated_at, created_by, name, lifecycle, city, country, industry, annual_revenue, source_channel)
  select ${idOf('at', 'account')}, $1, ($3::uuid[])[nth], ($6::uuid[])[nth], at, at, ($3::uuid[])[nth],
    ${oneOf('$4::text[]')} || ' ' || ${oneOf('$5::text[]')} || ' ' || n,
    ${oneOf(`array['suspect', 'suspect', 'prospect', 'client', 'client', 'former']`)},
    ${oneOf(`array['Lyon', 'Paris', 'Nantes', 'Lille', 'Bordeaux']`)}, 'FR',
    ${oneOf(`array['retail', 'food', 'transport', 'energy']`)},
    round((exp(random() * 8 + 8))::numeric, 2),
    ${oneOf(`array['direct', 'direct', 'partner', 'web']`)}
  from (select n, ${age('$2')} as at, 1 + floor(random() * 8)::int as nth from generate_series(1, $2::int) n) as drawn`

const contactRows = `
  insert into core.contact (id, workspace, owner, team, created_at, updated_at, created_by, first_name, last_name, name, job_title, account_id, email, phone, phone_norm, language, source_channel, do_not_mail, custom)
  select ${idOf('at', 'contact')}, $1, ($4::uuid[])[nth], ($8::uuid[])[nth], at, at, ($4::uuid[])[nth], first, last, first || ' ' || last,
    ${oneOf('$7::text[]')},
    (select ${idOf(age('$3'), 'account')} from (select 1 + (drawn.n * 7919::bigint) % $3::int as n) one),
    'person' || n || '@example.com', '+33 6 ' || lpad((n % 100000000)::text, 8, '0'), '+336' || lpad((n % 100000000)::text, 8, '0'),
    case when random() < 0.7 then 'fr' else 'en' end,
    ${oneOf(`array['direct', 'direct', 'partner', 'web', 'import']`)}, random() < 0.1,
    jsonb_build_object('score', round((random() * 1000)::numeric, 2))
  from (
    select n, ${age('$2')} as at, 1 + floor(random() * 40)::int as nth, ${oneOf('$5::text[]', 1.5)} as first, ${oneOf('$6::text[]', 1.5)} as last
    from generate_series(1, $2::int) n) as drawn`

const leadRows = `
  insert into core.lead (id, workspace, owner, team, created_at, updated_at, created_by, first_name, last_name, name, company_name, job_title, email, status, budget)
  select ${idOf('at', 'lead')}, $1, ($3::uuid[])[nth], ($7::uuid[])[nth], at, at, ($3::uuid[])[nth], first, last, first || ' ' || last,
    'Entreprise ' || (n * 31 % 50000), ${oneOf('$6::text[]')}, 'lead' || n || '@example.com',
    ${oneOf(`array['new', 'working', 'nurturing', 'qualified', 'unqualified']`)}, round((random() * 90000)::numeric, 2)
  from (
    select n, ${age('$2')} as at, 1 + floor(random() * 40)::int as nth, ${oneOf('$4::text[]', 1.5)} as first, ${oneOf('$5::text[]', 1.5)} as last
    from generate_series(1, $2::int) n) as drawn`

// One account after the other, so that each has as many, a day or more apart.
const activityRows = `
  insert into core.activity (id, workspace, owner, team, created_at, updated_at, created_by, type, subject, status, due_at, completed_at, account_id)
  select ${idOf('at', 'activity')}, $1, ($4::uuid[])[nth], ($5::uuid[])[nth], at, at, ($4::uuid[])[nth],
    ${oneOf(`array['task', 'call', 'meeting', 'visit', 'mail', 'note']`)}, 'Échange ' || n,
    case when done then 'done' else 'planned' end, at + interval '2 days', case when done then at + interval '1 day' end,
    (select ${idOf(age('$3'), 'account')} from (select 1 + drawn.n % $3::int as n) one)
  from (
    select n, ${age('$2')} as at, 1 + floor(random() * 40)::int as nth, random() < 0.9 as done
    from generate_series(1, $2::int) n) as drawn`

const linkRows = `
  insert into core.activity_link (workspace, activity_id, resource, record, at)
  select a.workspace, a.id, 'core.account', a.account_id, coalesce(a.completed_at, a.start_at, a.due_at, a.created_at)
  from core.activity a where a.workspace = $1`

const documentRows = (resource: string, text: string, from: string) => `
  insert into core.search_document (workspace, resource, record, owner, team, title, words)
  select $1, '${resource}', t.id, t.owner, t.team, t.name,
    setweight(core.search_words(t.name), 'A') || setweight(core.search_words(concat_ws(' ', ${text})), 'C')
  from ${from} where t.workspace = $1`

const searchRows = {
  accounts: documentRows('core.account', 't.name, t.city', 'core.account t'),
  contacts: documentRows(
    'core.contact',
    't.name, t.email, t.phone, t.phone_norm, t.job_title, a.name',
    'core.contact t left join core.account a on a.workspace = t.workspace and a.id = t.account_id',
  ),
  leads: documentRows('core.lead', 't.name, t.company_name, t.email', 'core.lead t'),
}

const wordRows = {
  vocabulary: `
    insert into core.search_word (workspace, word)
    select distinct $1::uuid, w.word from core.search_document d cross join unnest(tsvector_to_array(d.words)) as w (word)
    where core.search_is_word(w.word)`,
  'near forms': `
    insert into core.search_near (workspace, form, word)
    select w.workspace, f.form, w.word from core.search_word w cross join lateral core.search_forms(w.word) as f (form)
    where w.workspace = $1`,
}

const keysOf = (resource: string, keys: string) => `
  insert into core.duplicate_key (workspace, resource, record, kind, value, near)
  select $1, '${resource}', t.id, f.kind, f.value, f.near
  from ${resource} t cross join lateral core.duplicate_forms(jsonb_build_array(${keys})) f
  where t.workspace = $1`
const keyOf = (kind: string, value: string, near = false) =>
  `jsonb_build_object('kind', '${kind}', 'value', ${value}, 'near', ${near})`

const keyRows = {
  accounts: keysOf('core.account', [keyOf('name', 't.name', true), keyOf('city', 'lower(t.city)')].join(', ')),
  contacts: keysOf(
    'core.contact',
    [
      keyOf('email', 't.email'),
      keyOf('phone', 't.phone_norm'),
      keyOf('name', 't.name', true),
      keyOf('account', 't.account_id'),
    ].join(', '),
  ),
  leads: keysOf(
    'core.lead',
    [keyOf('email', 't.email'), keyOf('name', 't.name', true), keyOf('company', 't.company_name', true)].join(', '),
  ),
}
