import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Hono, type Context as HonoContext } from 'hono'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Pieces } from '../files/pieces.ts'
import type { Jobs } from '../jobs/index.ts'
import type { Kernel } from '../kernel.ts'
import { queryInvalid } from '../records/errors.ts'
import { csvLine } from '../records/csv-line.ts'
import { refusedLine } from '../records/import/refused-line.ts'
import { filledLabel } from '../records/import/filled-field.ts'
import { importFileMissing, importFileTooLarge } from '../records/import/errors.ts'
import { ImportService, type ReceivedFile } from '../records/import/import-service.ts'
import type { ImportPhase, ImportRecord, RowAction } from '../records/import/import.ts'
import { profile } from '../records/import/profile.ts'
import { aliasesSchema, mappingSchema, optionsSchema } from '../records/import/recipe.ts'
import { sniff } from '../records/import/sniff.ts'
import { phaseOf } from '../records/import/store.ts'
import { isUuid } from '../records/values.ts'
import { readJson } from './body.ts'
import { download } from './download.ts'
import { answerOnce, repeatable, responseOf } from './idempotency.ts'
import { formParts, type FormPart } from './multipart.ts'
import { parsed } from './parsed.ts'
import { json, unitOf } from './resource-routes.ts'
import type { PluginEnv } from './who.ts'

export interface ImportRouteOptions {
  readonly jobs: Jobs
}

type Request = HonoContext<PluginEnv>

const fileLimit = 200 * 1024 * 1024
/** What the form may hold beside the file. */
const formLimit = 65_536
const pageSize = 100

const change = z.strictObject({
  mapping: mappingSchema.optional(),
  aliases: aliasesSchema.optional(),
  key: z.string().max(200).nullable().optional(),
  options: optionsSchema.optional(),
  recipe: z.uuid().optional(),
})

const actionsOf: Readonly<Record<string, readonly RowAction[]>> = {
  failed: ['failed'],
  done: ['create', 'update', 'unchanged', 'skip'],
  create: ['create'],
  update: ['update'],
  unchanged: ['unchanged'],
  skip: ['skip'],
}
const everyAction: readonly RowAction[] = ['create', 'update', 'unchanged', 'skip', 'failed']

/** `/imports`: from an uploaded file, by way of its mapping and a rehearsal, to records. */
export function importRoutes(kernel: Kernel, options: ImportRouteOptions): Hono<PluginEnv> {
  const { database, clock } = kernel.parts
  const pieces = new Pieces({ database, clock })
  const service = new ImportService({ ...kernel.parts, jobs: options.jobs, pieces })
  const app = new Hono<PluginEnv>()
  const unit = <T>(request: Request, work: (ctx: Context) => Promise<T>) =>
    unitOf(kernel, { facts: request.env.facts, raw: request.req.raw, plugin: 'core' }, work)
  const id = (request: Request) => request.req.param('id') ?? ''

  app.post('/imports', async (request) => {
    const workspace = request.env.facts.who.workspace.id
    await using received = await receive(request.req.raw)
    const { resource, path, file } = received
    await unit(request, (ctx) => service.demandTarget(ctx, resource))
    const shape = await sniff(path)
    const once = repeatable(request.req.raw, '')
    // Of a file only what is in it says that it is the same.
    const sent = once.key ? `${resource} ${file.name} ${await digestOf(path)}` : ''
    const read: ReceivedFile = { ...file, ...shape, profile: await profile({ path, ...shape }) }
    try {
      await pieces.put(workspace, file.id, createReadStream(path, { highWaterMark: 262_144 }))
      let isMade = false
      const answer = await unit(request, async (ctx) => {
        const target = await service.demandTarget(ctx, resource)
        return answerOnce(ctx, { ...once, request: `${once.request}${sent}` }, async () => {
          const data = await service.create(ctx, target, read)
          isMade = true
          return json(ctx, 201, { data }, { location: `/api/core/imports/${data.id}` })
        })
      })
      if (!isMade) await pieces.remove(workspace, file.id)
      return responseOf(answer)
    } catch (error) {
      await pieces.remove(workspace, file.id)
      throw error
    }
  })

  app.get('/imports', async (request) => {
    const { resource } = request.req.query()
    return request.json({ data: await unit(request, (ctx) => service.list(ctx, resource)), page: { next: null } })
  })
  app.get('/imports/:id', async (request) =>
    request.json({ data: await unit(request, (ctx) => service.get(ctx, id(request))) }),
  )
  app.patch('/imports/:id', async (request) => {
    const body = parsed(change, await readJson(request.req.raw))
    return request.json({ data: await unit(request, (ctx) => service.change(ctx, id(request), body)) })
  })
  const moves = {
    rehearse: 'rehearse',
    run: 'run',
    pause: 'pause',
    resume: 'resume',
    cancel: 'cancel',
    rollback: 'rollBack',
  } as const
  for (const [path, move] of Object.entries(moves)) {
    app.post(`/imports/:id/${path}`, async (request) =>
      request.json({ data: await unit(request, (ctx) => service[move](ctx, id(request))) }, 202),
    )
  }
  app.delete('/imports/:id', async (request) => {
    await unit(request, (ctx) => service.remove(ctx, id(request)))
    return request.body(null, 204)
  })

  const phaseAsked = (request: Request, record: ImportRecord): ImportPhase => {
    const { phase = phaseOf(record) } = request.req.query()
    if (phase !== 'rehearsal' && phase !== 'run')
      throw queryInvalid({ parameter: 'phase', value: phase, expected: 'rehearsal or run' })
    return phase
  }

  app.get('/imports/:id/rows', async (request) => {
    const { state, after = '0' } = request.req.query()
    const actions = state === undefined ? everyAction : Object.hasOwn(actionsOf, state) ? actionsOf[state] : undefined
    if (!actions)
      throw queryInvalid({ parameter: 'state', value: state ?? '', expected: Object.keys(actionsOf).join(', ') })
    if (!/^\d{1,9}$/.test(after)) throw queryInvalid({ parameter: 'after', value: after, expected: 'a line number' })
    const rows = await unit(request, async (ctx) => {
      const record = await service.read(ctx, id(request))
      const query = { actions, after: Number(after), limit: pageSize + 1 }
      return service.rows(ctx, record, phaseAsked(request, record), query)
    })
    const data = rows.slice(0, pageSize).map(({ cells: _, ...row }) => row)
    const next = rows.length > pageSize ? String(data.at(-1)?.line) : null
    return request.json({ data, page: { next } })
  })

  app.get('/imports/:id/kept', async (request) => {
    const { after } = request.req.query()
    if (after !== undefined && !isUuid(after))
      throw queryInvalid({ parameter: 'after', value: after, expected: 'a cursor of the page before' })
    const rows = await unit(request, (ctx) => service.kept(ctx, id(request), after, pageSize + 1))
    const data = rows.slice(0, pageSize)
    return request.json({ data, page: { next: rows.length > pageSize ? (data.at(-1)?.change ?? null) : null } })
  })

  /** All rows of some kinds, some hundred at a time, each page under the rights of its moment. */
  async function* allRows(request: Request, record: ImportRecord, phase: ImportPhase, actions: readonly RowAction[]) {
    let after = 0
    for (;;) {
      const rows = await unit(request, (ctx) => service.rows(ctx, record, phase, { actions, after, limit: 500 }))
      const last = rows.at(-1)
      if (!last) return
      after = last.line
      yield rows
    }
  }

  app.get('/imports/:id/diff.ndjson', async (request) => {
    const record = await unit(request, (ctx) => service.read(ctx, id(request)))
    const phase = phaseAsked(request, record)
    const lines = async function* () {
      for await (const rows of allRows(request, record, phase, everyAction))
        yield Buffer.from(rows.map(({ cells: _, ...row }) => `${JSON.stringify(row)}\n`).join(''))
    }
    return download(lines(), { type: 'application/x-ndjson', name: `${bare(record.fileName)}-${phase}.ndjson` })
  })

  app.get('/imports/:id/errors.csv', async (request) => {
    const record = await unit(request, (ctx) => service.read(ctx, id(request)))
    const { columns, delimiter, resource } = record
    const { words, fields } = kernel.parts
    const { actor, workspace } = request.env.facts.who
    const { locale } = actor
    const known = fields.lastKnown(workspace.id).get(resource)
    const label = (name: string) => (known ? filledLabel(words, locale, known, name) : name)
    const head = [
      ...columns.map((column) => column.name),
      words.say(locale, 'core.import.line'),
      words.say(locale, 'core.import.problems'),
    ]
    const phase = phaseAsked(request, record)
    const between = delimiter === '' ? ',' : delimiter
    const lines = async function* () {
      // With its mark, a spreadsheet reads it as UTF-8.
      yield Buffer.from(`\ufeff${csvLine(head, between)}`)
      for await (const rows of allRows(request, record, phase, ['failed']))
        yield Buffer.from(rows.map((row) => csvLine(refusedLine(row, columns.length, label), between)).join(''))
    }
    return download(lines(), { type: 'text/csv; charset=utf-8', name: `${bare(record.fileName)}-errors.csv` })
  })
  return app
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256')
  await pipeline(createReadStream(path), digest)
  return digest.digest('hex')
}

function bare(fileName: string): string {
  return fileName.replaceAll(/[^\w.-]+/g, '_').replace(/\.\w+$/, '')
}

interface Received extends AsyncDisposable {
  readonly resource: string
  /** Where the file lies while it is looked at. */
  readonly path: string
  readonly file: Pick<ReceivedFile, 'id' | 'name' | 'size'>
}

/** Takes the form's file to disk as it arrives. */
async function receive(request: globalThis.Request): Promise<Received> {
  if (Number(request.headers.get('content-length') ?? 0) > fileLimit + formLimit) throw tooLarge()
  const parts = formParts(request)
  if (!parts) throw importFileMissing({})
  const folder = await mkdtemp(join(tmpdir(), 'socle-'))
  const path = join(folder, 'file')
  const remove = () => rm(folder, { recursive: true, force: true })
  let resource = ''
  let fileName: string | undefined
  try {
    for await (const part of parts) {
      if (part.name === 'resource') resource = await textOf(part)
      if (part.name !== 'file' || fileName !== undefined) continue
      fileName = (part.fileName ?? '').slice(0, 200) || 'import.csv'
      await pipeline(limited(part.body), createWriteStream(path, { mode: 0o600 }))
    }
    if (fileName === undefined) throw importFileMissing({})
    const { size } = await stat(path)
    return { resource, path, file: { id: uuidv7(), name: fileName, size }, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function textOf({ body }: FormPart): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > formLimit) break
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8').trim()
}

async function* limited(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > fileLimit) throw tooLarge()
    yield piece
  }
}

function tooLarge() {
  return importFileTooLarge({ limit: '200 MB' })
}
