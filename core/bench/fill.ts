import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { makeKey } from '../src/identity/api-keys.ts'

const firstNames =
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
const lastNames = nameStarts.flatMap((start) => nameEnds.map((end) => start + end))
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

/** What is filled, and who may look at it. */
export interface Filled {
  readonly workspace: string
  /** An API key whose role may do everything. */
  readonly key: string
  /** A member who sees only what they own. */
  readonly owner: string
  readonly contacts: readonly string[]
  /** Two words that find a handful of contacts each. */
  readonly words: readonly (readonly [string, string])[]
}

/**
 * Fills a workspace with `rows` contacts at a fifth as many accounts, by SQL: names as common as names are, ids by age,
 * forty owners, and the search documents the write path would have made.
 */
export async function fill(url: string, workspace: string, rows: number): Promise<Filled> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    // References are right by construction; checking each, and keeping every index on the way, would take minutes.
    await client.query(
      `set session_replication_role = replica; set synchronous_commit = off; set maintenance_work_mem = '512MB'; set jit = off`,
    )
    await client.query('select setseed(0.42)')
    const rights = await fillPeople(client, workspace)
    const indexes = await dropIndexes(client)
    const accounts = Math.max(10, Math.floor(rows / 5))
    await client.query(accountRows, [workspace, accounts, rights.owners, houses, places])
    await client.query(contactRows, [workspace, rows, accounts, rights.owners, firstNames, lastNames, jobs])
    await client.query(searchRows, [workspace])
    for (const index of indexes) await client.query(index)
    await client.query('vacuum (analyze) core.account, core.contact, core.search_document')
    const { rows: sample } = await client.query<{ id: string; first: string; last: string }>(
      `select id, first_name as first, last_name as last from core.contact tablesample bernoulli (least(100, 300000.0 / $1::float)) limit 2000`,
      [rows],
    )
    return {
      workspace,
      key: rights.key,
      owner: rights.owners[0] ?? '',
      contacts: sample.map(({ id }) => id),
      words: sample.map(({ first, last }) => [first, last] as const),
    }
  } finally {
    await client.end()
  }
}

async function fillPeople(client: pg.Client, workspace: string): Promise<{ key: string; owners: string[] }> {
  const owners = Array.from({ length: 40 }, () => randomUUID())
  const [all, own, keyId] = [randomUUID(), randomUUID(), randomUUID()]
  const { key, prefix, hash } = makeKey()
  await client.query(
    `insert into core.member (id, workspace, name, email) select id, $1, 'Owner ' || nth, nth || '@example.com' from unnest($2::uuid[]) with ordinality as o (id, nth)`,
    [workspace, owners],
  )
  const grants = (visibility: string) => JSON.stringify([{ resource: '*', action: '*', visibility }])
  await client.query(
    `insert into core.role (id, workspace, name, grants) values ($2, $1, 'Bench', $3::jsonb), ($4, $1, 'Bench own', $5::jsonb)`,
    [workspace, all, grants('all'), own, grants('own')],
  )
  await client.query(`insert into core.role_assignment (id, workspace, role_id, user_id) values ($1, $2, $3, $4)`, [
    randomUUID(),
    workspace,
    own,
    owners[0],
  ])
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
  return { key, owners }
}

/** Takes away the indexes no constraint stands on; answers the statements that bring them back. */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i
    where i.indrelid in ('core.account'::regclass, 'core.contact'::regclass, 'core.search_document'::regclass)
      and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`,
  )
  for (const { name } of rows) await client.query(`drop index ${name}`)
  return rows.map(({ definition }) => definition)
}

// Ids as UUIDv7 of the row's age in three years, so that they lie in the table as the product's own would.
const idOf = (age: string, salt: string) =>
  `(lpad(to_hex((extract(epoch from ${age}) * 1000)::bigint), 12, '0') || '7' || substr(md5('${salt}' || n), 1, 3) || '8' || substr(md5('${salt}' || n), 4, 15))::uuid`
const age = (count: string) => `timestamptz '2026-03-01' - interval '3 years' * (1 - n / ${count}::float)`

const accountRows = `
  insert into core.account (id, workspace, owner, created_at, updated_at, created_by, name, lifecycle, city, country, industry, annual_revenue, source_channel)
  select ${idOf('at', 'account')}, $1, owner, at, at, owner,
    ($4::text[])[1 + floor(random() * ${houses.length})::int] || ' ' || ($5::text[])[1 + floor(random() * ${places.length})::int] || ' ' || n,
    (array['suspect', 'suspect', 'prospect', 'client', 'client', 'former'])[1 + floor(random() * 6)::int],
    (array['Lyon', 'Paris', 'Nantes', 'Lille', 'Bordeaux'])[1 + floor(random() * 5)::int], 'FR',
    (array['retail', 'food', 'transport', 'energy'])[1 + floor(random() * 4)::int],
    round((exp(random() * 8 + 8))::numeric, 2),
    (array['direct', 'direct', 'partner', 'web'])[1 + floor(random() * 4)::int]
  from (select n, ${age('$2')} as at, ($3::uuid[])[1 + floor(random() * 40)::int] as owner from generate_series(1, $2::int) n) as drawn`

const contactRows = `
  insert into core.contact (id, workspace, owner, created_at, updated_at, created_by, first_name, last_name, name, job_title, account_id, email, phone, phone_norm, language, source_channel, do_not_mail)
  select ${idOf('at', 'contact')}, $1, owner, at, at, owner, first, last, first || ' ' || last,
    ($7::text[])[1 + floor(random() * ${jobs.length})::int],
    (select ${idOf(age('$3'), 'account')} from (select 1 + (drawn.n * 7919::bigint) % $3::int as n) one),
    'person' || n || '@example.com', '+33 6 ' || lpad((n % 100000000)::text, 8, '0'), '+336' || lpad((n % 100000000)::text, 8, '0'),
    case when random() < 0.7 then 'fr' else 'en' end,
    (array['direct', 'direct', 'partner', 'web', 'import'])[1 + floor(random() * 5)::int], random() < 0.1
  from (
    select n, ${age('$2')} as at, ($4::uuid[])[1 + floor(random() * 40)::int] as owner,
      ($5::text[])[1 + floor(power(random(), 1.5) * ${firstNames.length})::int] as first,
      ($6::text[])[1 + floor(power(random(), 1.5) * ${lastNames.length})::int] as last
    from generate_series(1, $2::int) n) as drawn`

const searchRows = `
  insert into core.search_document (workspace, resource, record, owner, team, title, words)
  select $1, 'core.contact', c.id, c.owner, c.team, c.name,
    setweight(to_tsvector('simple', core.fold(c.name)), 'A') ||
    setweight(to_tsvector('simple', core.fold(concat_ws(' ', c.name, c.email, c.phone, c.phone_norm, c.job_title, a.name))), 'C')
  from core.contact c left join core.account a on a.workspace = c.workspace and a.id = c.account_id
  where c.workspace = $1`
