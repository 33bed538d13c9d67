import type { Readable } from 'node:stream'
import { sql } from 'kysely'
import { ZipFile } from 'yazl'
import type { Context } from '../context.ts'
import { addPiece, removePieces } from '../files/pieces.ts'
import type { JobHandler } from '../jobs/job.ts'
import { relationsTo } from '../records/merge/relations.ts'
import { columnsOf, tableOf } from '../records/read.ts'
import type { RecordJson } from '../records/records.ts'
import type { Resource } from '../records/registry.ts'
import type { EngineScope } from '../records/scope.ts'
import { ConsentService } from './consent-service.ts'
import { historyOf } from './consent-routes.ts'
import type { Person } from './consents.ts'
import { linesNaming, lyingFiles } from './file-lines.ts'
import type { PrivacyKeys } from './keys.ts'
import { note, privacyRequests } from './privacy-request.ts'
import { scopeOf } from './scope.ts'
import { PrivacyStores, type CollectedFile } from './stores.ts'
import { pointsAt, subjectOf } from './subject.ts'
import { listTargets } from './targets.ts'

export const accessKind = 'core.privacy-access'

/** How long the file waits to be fetched. */
const keptDays = 14
const pieceSize = 262_144

/** Everything that is held of a person, as one archive that only this request's file address gives. */
export function accessJob(keys: () => PrivacyKeys): JobHandler<{ readonly request: string }> {
  return async ({ payload: { request } }, { unit, progress }) => {
    const { sections, files } = await unit((ctx) => collect(ctx, keys(), request))
    await progress(1, 2)
    const bytes = await archive(sections, files)
    await unit(async (ctx) => {
      const at = ctx.clock.now()
      await removePieces(ctx.sql, ctx.workspace.id, request)
      for (let nth = 0; nth * pieceSize < bytes.length; nth += 1) {
        const part = bytes.subarray(nth * pieceSize, (nth + 1) * pieceSize)
        await addPiece(ctx.sql, { workspace: ctx.workspace.id, file: request, nth, bytes: part, at: at.toISOString() })
      }
      const fileUntil = new Date(at.getTime() + keptDays * 86_400_000).toISOString()
      await note(ctx, request, { state: 'done', doneAt: at.toISOString(), fileSize: bytes.length, fileUntil })
      await progress(2, 2, ctx)
    })
  }
}

interface Section {
  readonly name: string
  readonly content: unknown
}

async function collect(ctx: Context, keys: PrivacyKeys, request: string) {
  const scope = scopeOf(ctx)
  const { data } = await scope.ctx.records.get(privacyRequests, request)
  const person = { resource: data['subjectResource'], record: data['subjectRecord'] } as Person
  const subject = await subjectOf(scope, person.resource, person.record)
  const { workspace } = ctx
  await sql`delete from core.erasure where workspace = ${workspace.id}::uuid and run = ${request}::uuid`.execute(
    ctx.sql,
  )
  await sql`insert into core.erasure (workspace, run, at) values (${workspace.id}::uuid, ${request}::uuid, ${ctx.clock.now().toISOString()}::timestamptz)`.execute(
    ctx.sql,
  )
  const holds = await listTargets(scope, request, subject)
  const listed = await listedRecords(scope, request)
  const mentioning = await referring(scope, subject.records)
  const consents = new ConsentService(scope.ctx, keys)
  const sections: Section[] = [
    { name: 'person.json', content: { records: subject.records, addresses: subject.addresses, kept: holds } },
    ...[...merged(listed, mentioning)].map(([resource, rows]) => ({ name: `records/${resource}.json`, content: rows })),
    { name: 'history.json', content: await ledgerOf(scope, request) },
    {
      name: 'consents.json',
      content: {
        state: await consents.stateAt(person),
        history: await historyOf(scope.ctx, keys, person),
      },
    },
    { name: 'imports.json', content: await importLines(scope, request) },
    { name: 'files.json', content: await linesOfFiles(ctx, subject.terms.pattern) },
    { name: 'exports.json', content: await exportsWith(scope, request) },
    { name: 'merges.json', content: await mergesOf(scope, request) },
  ]
  const files: CollectedFile[] = []
  for (const store of ctx.contributions(PrivacyStores)) {
    const found = await store.collect?.(subject, scope.ctx)
    if (!found) continue
    sections.push({
      name: `stores/${store.id}.json`,
      content: { title: store.title[workspace.locale], data: found.data },
    })
    files.push(...(found.files ?? []).map((file) => ({ ...file, name: `files/${store.id}/${safe(file.name)}` })))
  }
  await sql`delete from core.erasure where workspace = ${workspace.id}::uuid and run = ${request}::uuid`.execute(
    ctx.sql,
  )
  return { sections, files }
}

/** Names of files come from outside: no path of theirs may leave its folder. */
const safe = (name: string) =>
  name
    .replaceAll(/[^\p{L}\p{N}._ -]+/gu, '_')
    .replace(/^\.+/, '_')
    .slice(0, 120)

type ByResource = ReadonlyMap<string, readonly RecordJson[]>

function merged(one: ByResource, two: ByResource): ByResource {
  const all = new Map<string, Map<string, RecordJson>>()
  for (const [resource, rows] of [...one, ...two]) {
    const kept = all.get(resource) ?? new Map<string, RecordJson>()
    all.set(resource, kept)
    for (const row of rows) kept.set(row.id, row)
  }
  return new Map([...all].map(([resource, rows]) => [resource, [...rows.values()]]))
}

async function rowsOf(
  scope: EngineScope,
  resource: Resource,
  where: ReturnType<typeof sql>,
): Promise<readonly RecordJson[]> {
  const { rows } = await sql<RecordJson>`
    select ${columnsOf(resource.all, 't')} from ${tableOf(resource, 't')} where t.workspace = ${scope.ctx.workspace.id}::uuid and ${where} order by t.id`.execute(
    scope.tx,
  )
  return rows
}

/** The person, what is about them and what the law keeps of them. */
async function listedRecords(scope: EngineScope, run: string): Promise<ByResource> {
  const { rows: kinds } = await sql<{ resource: string }>`
    select distinct resource from core.erasure_target where workspace = ${scope.ctx.workspace.id}::uuid and run = ${run}::uuid`.execute(
    scope.tx,
  )
  const found = new Map<string, readonly RecordJson[]>()
  for (const { resource } of kinds) {
    const ofRun = sql`t.id in (select e.record from core.erasure_target e where e.workspace = ${scope.ctx.workspace.id}::uuid and e.run = ${run}::uuid and e.resource = ${resource})`
    found.set(resource, await rowsOf(scope, scope.catalog.whole.of(resource), ofRun))
  }
  return found
}

/** Whatever else points at the person: orders, opportunities, who reports to them. */
async function referring(
  scope: EngineScope,
  records: readonly { resource: string; record: string }[],
): Promise<ByResource> {
  const found = new Map<string, readonly RecordJson[]>()
  for (const { resource: kind, record } of records) {
    for (const { resource, field, pair } of relationsTo(scope, scope.catalog.of(kind))) {
      const rows = await rowsOf(
        scope,
        resource,
        sql`${pointsAt(resource, field.name, 't')} = ${record}::uuid ${pair ? sql`and ${pointsAt(resource, pair.name, 't')} = ${kind}` : sql``}`,
      )
      if (rows.length > 0) found.set(resource.id, [...(found.get(resource.id) ?? []), ...rows])
    }
  }
  return found
}

const ofRun = (scope: EngineScope, run: string, record: ReturnType<typeof sql>) =>
  sql`exists (select from core.erasure_target e where e.workspace = ${scope.ctx.workspace.id}::uuid and e.run = ${run}::uuid and e.record = ${record} and e.how in ('person', 'about'))`

async function ledgerOf(scope: EngineScope, run: string): Promise<unknown> {
  const { rows } = await sql`
    select c.at, c.resource, c.record, c.action, c.version, c.fields, s.origin, s.reason from core.change c
    join core.change_set s on s.id = c.change_set
    where c.workspace = ${scope.ctx.workspace.id}::uuid and ${ofRun(scope, run, sql`c.record`)} order by c.at, c.id`.execute(
    scope.tx,
  )
  return rows
}

async function importLines(scope: EngineScope, run: string): Promise<unknown> {
  const { rows } = await sql`
    select i.file_name as file, i.created_at as at, r.line, r.cells, r.outcome from core.import_row r
    join core.import i on i.workspace = r.workspace and i.id = r.import
    where r.workspace = ${scope.ctx.workspace.id}::uuid and ${ofRun(scope, run, sql`r.record`)} order by i.created_at, r.line`.execute(
    scope.tx,
  )
  return rows
}

/** What files that still lie here say of the person, whichever record it is about. */
async function linesOfFiles(ctx: Context, pattern: string): Promise<unknown> {
  const found = []
  for await (const { file, name } of lyingFiles(ctx)) {
    const lines = await linesNaming(ctx, file, pattern)
    if (lines.length > 0) found.push({ file: name, lines })
  }
  return found
}

/** Files still kept that were written while the person was among the records they are of. */
async function exportsWith(scope: EngineScope, run: string): Promise<unknown> {
  const { rows } = await sql`
    select e.name, e.resource, e.format, e.finished_at as "finishedAt", e.expires_at as "expiresAt" from core.export e
    where e.workspace = ${scope.ctx.workspace.id}::uuid and e.expires_at > ${scope.ctx.clock.now().toISOString()}::timestamptz
      and e.resource in (select t.resource from core.erasure_target t where t.workspace = e.workspace and t.run = ${run}::uuid)
    order by e.finished_at`.execute(scope.tx)
  return rows
}

async function mergesOf(scope: EngineScope, run: string): Promise<unknown> {
  const { rows } = await sql`
    select m.resource, m.survivor, m.merged, m.state, m.at from core.merge_operation m
    where m.workspace = ${scope.ctx.workspace.id}::uuid and ${ofRun(scope, run, sql`m.survivor`)} order by m.at`.execute(
    scope.tx,
  )
  return rows
}

async function archive(sections: readonly Section[], files: readonly CollectedFile[]): Promise<Buffer> {
  const zip = new ZipFile()
  for (const { name, content } of sections) zip.addBuffer(Buffer.from(`${JSON.stringify(content, null, 2)}\n`), name)
  for (const { name, content } of files)
    zip.addBuffer(content instanceof Uint8Array ? Buffer.from(content) : await whole(content), name)
  zip.end()
  return whole(zip.outputStream as Readable)
}

async function whole(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all)
}
