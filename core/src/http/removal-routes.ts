import { Hono, type Context as HonoContext } from 'hono'
import { z } from 'zod'
import { onDisk, Pieces } from '../files/pieces.ts'
import type { Identity } from '../identity/identity.ts'
import type { Jobs } from '../jobs/index.ts'
import type { JobRequest } from '../jobs/job.ts'
import type { Kernel } from '../kernel.ts'
import { archiveFileMissing, archiveNotFound, archiveTooLarge } from '../plugins/removal/errors.ts'
import { clearKind, restoreKind, uninstallKind, type Uninstaller } from '../plugins/removal/uninstaller.ts'
import type { Administrator, Installer } from '../plugins/store/installer.ts'
import { recordOfPlugin } from '../plugins/toggle-ledger.ts'
import { isUuid } from '../records/values.ts'
import { readJson } from './body.ts'
import { download } from './download.ts'
import { fileOf } from './multipart.ts'
import { parsed } from './parsed.ts'
import { unitOf } from './resource-routes.ts'
import { demand, type PluginEnv, type RequestFacts } from './who.ts'

type Request = HonoContext<PluginEnv>

const uninstallBody = z.strictObject({
  mode: z.enum(['keep', 'archive', 'purge']),
  /** The plugin's id, typed by who means it; asked for by a purge. */
  confirm: z.string().max(200).optional(),
  cascade: z.boolean().optional(),
})
const clearBody = uninstallBody.pick({ confirm: true }).extend({ mode: z.enum(['archive', 'purge']) })
const restoreBody = z.strictObject({ archive: z.uuid() })
const installBody = z.strictObject({ version: z.string().max(60).optional() })

const permission = 'core.plugin.uninstall'
const largestArchive = 2 * 1_073_741_824

export interface RemovalRouteOptions {
  readonly uninstaller: Uninstaller
  readonly installer: Installer
  readonly jobs: Jobs
  readonly demandPresence: Identity['demandPresence']
}

/** Taking a plugin away, putting its data away and bringing both back: `/plugins/:id/…` and `/plugin-archives`. */
export function removalRoutes(
  kernel: Kernel,
  { uninstaller, installer, jobs, demandPresence }: RemovalRouteOptions,
): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  const { database, clock } = kernel.parts

  /** What runs for all workspaces is taken away by whom it was installed by. */
  const demandHome = async (facts: RequestFacts) => installer.demandHome(facts.who.workspace.id)
  /** What is deleted cannot be taken back from who found a session open. */
  const present = async ({ who }: RequestFacts) => {
    if (who.session) await demandPresence(who.session)
  }
  const administrator = ({ who }: RequestFacts): Administrator => ({
    workspace: who.workspace.id,
    user: who.actor.type === 'user' ? who.actor.id : undefined,
  })
  /** One job of a kind at a time for a plugin; its key does not name it, so that a purge leaves no name behind. */
  const enqueue = async (request: Request, plugin: string, job: Omit<JobRequest, 'workspace' | 'key'>) => {
    const { facts } = request.env
    const id = await unitOf(kernel, { facts, raw: request.req.raw, plugin: 'core' }, (ctx) =>
      jobs.enqueue({ ...job, workspace: ctx.workspace.id, key: recordOfPlugin(plugin) }, ctx),
    )
    return request.json({ data: { job: id } }, 202, { location: `/api/core/jobs/${id}` })
  }
  const idOf = (request: Request) => request.req.param('id') ?? ''
  const archiveOf = (request: Request) => {
    const id = idOf(request)
    if (!isUuid(id)) throw archiveNotFound({ id })
    return id
  }

  app.get('/plugins/:id/uninstall', async (request) => {
    const { facts } = request.env
    demand(facts, permission)
    await demandHome(facts)
    return request.json({ data: await uninstaller.preview(idOf(request), facts.who.actor.locale) })
  })

  app.post('/plugins/:id/uninstall', async (request) => {
    const { facts } = request.env
    demand(facts, permission)
    await demandHome(facts)
    const body = parsed(uninstallBody, await readJson(request.req.raw))
    const plugin = idOf(request)
    const plugins = await uninstaller.demandRemovable(plugin, facts.who.workspace.id, body)
    await present(facts)
    return enqueue(request, plugin, { kind: uninstallKind, payload: { plugin, mode: body.mode, plugins } })
  })

  app.post('/plugins/:id/install', async (request) => {
    const { facts } = request.env
    demand(facts, 'core.plugin.install')
    await demandHome(facts)
    const { version } = parsed(installBody, await readJson(request.req.raw))
    await present(facts)
    const plugin = idOf(request)
    return request.json(
      { data: { plugin, version: await installer.reinstall(plugin, administrator(facts), version) } },
      201,
    )
  })

  app.get('/plugins/:id/data', async (request) => {
    const { facts } = request.env
    demand(facts, permission)
    return request.json({ data: await uninstaller.sizesHere(idOf(request), facts.who.workspace.id) })
  })

  app.post('/plugins/:id/data', async (request) => {
    const { facts } = request.env
    demand(facts, permission)
    const body = parsed(clearBody, await readJson(request.req.raw))
    const plugin = idOf(request)
    await uninstaller.demandClearable(plugin, facts.who.workspace.id, body)
    await present(facts)
    return enqueue(request, plugin, { kind: clearKind, payload: { plugin, mode: body.mode } })
  })

  app.post('/plugins/:id/restore', async (request) => {
    const { facts } = request.env
    demand(facts, permission)
    const { archive } = parsed(restoreBody, await readJson(request.req.raw))
    const plugin = idOf(request)
    await uninstaller.demandRestorable(plugin, facts.who.workspace.id, archive)
    await present(facts)
    return enqueue(request, plugin, { kind: restoreKind, payload: { plugin, archive } })
  })

  app.get('/plugin-archives', async (request) => {
    const { facts } = request.env
    demand(facts, permission)
    const data = await uninstaller.archives(facts.who.workspace.id, facts.who.actor.locale)
    return request.json({ data, page: { next: null } })
  })

  app.post('/plugin-archives', async (request) => {
    const { facts } = request.env
    demand(facts, permission)
    await present(facts)
    await using file = await onDisk(await received(request.req.raw))
    const data = await uninstaller.takeIn(administrator(facts), file.path, {
      demandGrants: () => demand(facts, 'core.role.manage'),
      locale: facts.who.actor.locale,
    })
    return request.json({ data }, 201)
  })

  app.get('/plugin-archives/:id/file', async (request) => {
    const { facts } = request.env
    demand(facts, permission)
    const id = archiveOf(request)
    const { plugin, version, at } = await uninstaller.takeArchive(administrator(facts), id)
    const content = new Pieces({ database, clock }).read(facts.who.workspace.id, id)
    const name = `${plugin}-${version}-${at.slice(0, 10)}.ndjson.gz`
    return download(content, { type: 'application/gzip', name })
  })

  app.delete('/plugin-archives/:id', async (request) => {
    const { facts } = request.env
    demand(facts, permission)
    const id = archiveOf(request)
    await uninstaller.archive(facts.who.workspace.id, id)
    await present(facts)
    await uninstaller.removeArchive(administrator(facts), id)
    return request.body(null, 204)
  })
  return app
}

/** The bytes of an archive as they arrive, up to the most that is taken. */
async function received(request: globalThis.Request): Promise<AsyncIterable<Uint8Array>> {
  if (Number(request.headers.get('content-length') ?? 0) > largestArchive) throw tooLarge()
  const body = await fileOf(request)
  if (!body) throw archiveFileMissing({})
  return limited(body)
}

async function* limited(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const piece of body) {
    size += piece.byteLength
    if (size > largestArchive) throw tooLarge()
    yield piece
  }
}

function tooLarge() {
  return archiveTooLarge({ limit: '2 GB' })
}
