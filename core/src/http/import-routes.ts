import { createWriteStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Hono, type Context as HonoContext } from 'hono'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { Kernel } from '../kernel.ts'
import { csvLine, refusedLine } from '../records/import/error-file.ts'
import { importFileMissing, importFileTooLarge } from '../records/import/errors.ts'
import { ImportService, type ReceivedFile } from '../records/import/import-service.ts'
import { InProcessJobs, type JobRunner } from '../records/import/in-process-jobs.ts'
import { profile } from '../records/import/profile.ts'
import { sniff } from '../records/import/sniff.ts'
import { importOf, rowsOfImport } from '../records/import/store.ts'
import { queryInvalid } from '../records/errors.ts'
import { readJson } from './body.ts'
import { formParts, type FormPart } from './multipart.ts'
import { parsed, unitOf } from './resource-routes.ts'
import type { PluginEnv } from './who.ts'

export interface ImportRouteOptions {
  /** Folder of the deployment's files; the system's temporary folder without one. */
  readonly folder?: string | undefined
  readonly jobs: JobRunner
}

type Request = HonoContext<PluginEnv>

const fileLimit = 200 * 1024 * 1024
/** What the form may hold beside the file. */
const formLimit = 65_536
const pageSize = 100

const name = z.string().max(200)
const change = z.strictObject({
  mapping: z
    .array(
      z.strictObject({
        column: name,
        field: name.nullable(),
        by: name.optional(),
        create: z.boolean().optional(),
        columns: z.array(name).max(20).optional(),
        value: z.string().max(1_000).optional(),
      }),
    )
    .max(1_000)
    .optional(),
  aliases: z
    .array(
      z.strictObject({
        column: name,
        from: z.string().max(1_000),
        to: z.string().max(1_000),
        rows: z.int().optional(),
        accepted: z.boolean().optional(),
      }),
    )
    .max(10_000)
    .optional(),
  key: name.nullable().optional(),
  options: z
    .strictObject({
      skipDuplicates: z.boolean().optional(),
      dateFormat: z.string().max(40).optional(),
      decimal: z.enum([',', '.']).optional(),
    })
    .optional(),
})

/** `/imports`: from an uploaded file, by way of its mapping and a rehearsal, to records. */
export function importRoutes(kernel: Kernel, options: ImportRouteOptions): Hono<PluginEnv> {
  const folder = join(options.folder ?? join(tmpdir(), 'socle'), 'imports')
  const pathOf = (workspace: string, id: string) => join(folder, workspace, `${id}.csv`)
  const service = new ImportService({
    ...kernel.parts,
    jobs: options.jobs,
    keyJobs: new InProcessJobs(kernel),
    pathOf,
  })
  const app = new Hono<PluginEnv>()
  const unit = <T>(request: Request, work: (ctx: Context) => Promise<T>) =>
    unitOf(kernel, { facts: request.env.facts, raw: request.req.raw, plugin: 'core' }, work)
  const id = (request: Request) => request.req.param('id') ?? ''

  app.post('/imports', async (request) => {
    const received = await receive(request.req.raw, (of) => pathOf(request.env.facts.who.workspace.id, of))
    try {
      const { resource, file } = received
      await unit(request, (ctx) => service.demandTarget(ctx, resource))
      const shape = await sniff(file.path)
      const read: ReceivedFile = { ...file, ...shape, profile: await profile({ path: file.path, ...shape }) }
      const data = await unit(request, async (ctx) =>
        service.create(ctx, await service.demandTarget(ctx, resource), read),
      )
      return request.json({ data }, 201, { location: `/api/core/imports/${data.id}` })
    } catch (error) {
      await rm(received.file.path, { force: true })
      throw error
    }
  })

  app.get('/imports', async (request) =>
    request.json({ data: await unit(request, (ctx) => service.list(ctx)), page: { next: null } }),
  )
  app.get('/imports/:id', async (request) =>
    request.json({ data: await unit(request, (ctx) => service.get(ctx, id(request))) }),
  )
  app.patch('/imports/:id', async (request) => {
    const body = parsed(change, await readJson(request.req.raw))
    return request.json({ data: await unit(request, (ctx) => service.change(ctx, id(request), body)) })
  })
  app.post('/imports/:id/rehearse', async (request) =>
    request.json({ data: await unit(request, (ctx) => service.rehearse(ctx, id(request))) }, 202),
  )
  app.post('/imports/:id/run', async (request) =>
    request.json({ data: await unit(request, (ctx) => service.run(ctx, id(request))) }, 202),
  )
  app.delete('/imports/:id', async (request) => {
    await unit(request, (ctx) => service.remove(ctx, id(request)))
    await rm(pathOf(request.env.facts.who.workspace.id, id(request)), { force: true })
    return request.body(null, 204)
  })

  app.get('/imports/:id/rows', async (request) => {
    const { state, after = '0' } = request.req.query()
    if (state !== undefined && state !== 'failed' && state !== 'done')
      throw queryInvalid({ parameter: 'state', value: state, expected: 'failed or done' })
    if (!/^\d{1,9}$/.test(after)) throw queryInvalid({ parameter: 'after', value: after, expected: 'a line number' })
    const rows = await unit(request, async (ctx) => {
      await importOf(ctx, id(request))
      return rowsOfImport(ctx, id(request), { state, after: Number(after), limit: pageSize + 1 })
    })
    const data = rows.slice(0, pageSize).map(({ cells: _, ...row }) => row)
    const next = rows.length > pageSize ? String(data.at(-1)?.line) : null
    return request.json({ data, page: { next } })
  })

  app.get('/imports/:id/errors.csv', async (request) => {
    const record = await unit(request, (ctx) => importOf(ctx, id(request)))
    const { columns, delimiter, resource } = record
    const { words } = kernel.parts
    const { locale } = request.env.facts.who.actor
    const say = (key: string, otherwise: string) => (words.has(key) ? words.say(locale, key) : otherwise)
    const label = (field: string) => say(`${resource}.${field}`, field)
    const head = [
      ...columns.map((column) => column.name),
      say('core.import.line', 'line'),
      say('core.import.problems', 'problems'),
    ]
    const lines = async function* () {
      // With its mark, a spreadsheet reads it as UTF-8.
      yield Buffer.from(`\ufeff${csvLine(head, delimiter)}`)
      let after = 0
      for (;;) {
        const rows = await unit(request, (ctx) => rowsOfImport(ctx, record.id, { state: 'failed', after, limit: 500 }))
        const last = rows.at(-1)
        if (!last) return
        after = last.line
        yield Buffer.from(rows.map((row) => csvLine(refusedLine(row, columns.length, label), delimiter)).join(''))
      }
    }
    const file = record.fileName.replaceAll(/[^\w.-]+/g, '_').replace(/\.\w+$/, '')
    return new Response(Readable.toWeb(Readable.from(lines())) as unknown as ReadableStream, {
      headers: {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="${file}-errors.csv"`,
        'cache-control': 'no-store',
      },
    })
  })
  return app
}

/** Takes the form's file to disk as it arrives. */
async function receive(
  request: globalThis.Request,
  pathOf: (id: string) => string,
): Promise<{ resource: string; file: Pick<ReceivedFile, 'id' | 'name' | 'size' | 'path'> }> {
  if (Number(request.headers.get('content-length') ?? 0) > fileLimit + formLimit) throw tooLarge()
  const parts = formParts(request)
  if (!parts) throw importFileMissing({})
  const id = uuidv7()
  const path = pathOf(id)
  let resource = ''
  let fileName: string | undefined
  try {
    for await (const part of parts) {
      if (part.name === 'resource') resource = await textOf(part)
      if (part.name !== 'file' || fileName !== undefined) continue
      fileName = (part.fileName ?? '').slice(0, 200) || 'import.csv'
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await pipeline(limited(part.body), createWriteStream(path, { mode: 0o600 }))
    }
    if (fileName === undefined) throw importFileMissing({})
    return { resource, file: { id, name: fileName, size: (await stat(path)).size, path } }
  } catch (error) {
    await rm(path, { force: true })
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
