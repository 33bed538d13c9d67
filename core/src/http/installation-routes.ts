import { Hono } from 'hono'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { Kernel } from '../kernel.ts'
import { uploadLimit } from '../plugins/store/archive.ts'
import { archiveRefused, uploadUnknown } from '../plugins/store/errors.ts'
import type { Installer } from '../plugins/store/installer.ts'
import { reviewOf, type Review } from '../plugins/store/review.ts'
import { readJson } from './body.ts'
import { fileOf } from './multipart.ts'
import { parsed } from './parsed.ts'
import { demand, type PluginEnv, type RequestFacts } from './who.ts'

const installBody = z.strictObject({
  /** Installs past the ranges it declares. */
  force: z.boolean().optional(),
})

/** `/plugin-uploads`: an archive from its upload, by way of its review, to a plugin that runs. */
export function installationRoutes(
  kernel: Kernel,
  { installer, demandPresence }: { readonly installer: Installer; readonly demandPresence: Identity['demandPresence'] },
): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  const { parts } = kernel

  /** What runs for all workspaces is decided where the installation began. */
  const demandHere = async (facts: RequestFacts, ...permissions: string[]) => {
    demand(facts, ...permissions)
    await installer.demandHome(facts.who.workspace.id)
  }
  /** Whoever may do neither is told nothing of what was uploaded. */
  const demandEither = async (facts: RequestFacts) =>
    demandHere(facts, facts.who.authority.may('core.plugin.upgrade') ? 'core.plugin.upgrade' : 'core.plugin.install')
  /** A new version is taken in by who may upgrade, what is new by who may install. */
  const permissionFor = async (plugin: string) =>
    (await installer.installed(plugin)) ? 'core.plugin.upgrade' : 'core.plugin.install'

  const review = async ({ who }: RequestFacts, integrity: string): Promise<Review> => {
    const archive = await installer.uploaded(integrity)
    const { signer, manifest } = archive
    const refusals = await installer.refusals(archive)
    const codes = new Set((await installer.refusals(archive, true)).map(({ code, message }) => `${code} ${message}`))
    const { locale } = who.actor
    return reviewOf({
      archive,
      integrity,
      before: installer.running(manifest.id),
      plugins: parts.plugins,
      signer: signer === undefined ? undefined : installer.signer(signer),
      refusals: refusals.map((error) => ({ error, forcible: !codes.has(`${error.code} ${error.message}`) })),
      words: parts.words.in(who.workspace),
      locale,
    })
  }

  app.post('/plugin-uploads', async (request) => {
    const { facts } = request.env
    await demandEither(facts)
    const integrity = await installer.upload(await received(request.req.raw))
    const data = { id: idOf(integrity), ...(await review(facts, integrity)) }
    return request.json({ data }, 201, { location: `/api/core/plugin-uploads/${data.id}` })
  })

  app.get('/plugin-uploads/:id', async (request) => {
    const { facts } = request.env
    await demandEither(facts)
    const id = request.req.param('id')
    return request.json({ data: { id, ...(await review(facts, integrityOf(id))) } })
  })

  app.delete('/plugin-uploads/:id', async (request) => {
    const { facts } = request.env
    await demandEither(facts)
    const integrity = integrityOf(request.req.param('id'))
    const { manifest } = await installer.uploaded(integrity)
    await demandHere(facts, await permissionFor(manifest.id))
    await installer.decline(integrity)
    return request.body(null, 204)
  })

  app.post('/plugin-uploads/:id/install', async (request) => {
    const { facts } = request.env
    await demandEither(facts)
    const { force = false } = parsed(installBody, await readJson(request.req.raw))
    const integrity = integrityOf(request.req.param('id'))
    const { manifest } = await installer.uploaded(integrity)
    await demandHere(facts, await permissionFor(manifest.id), ...(force ? ['core.plugin.force'] : []))
    // Its code runs for everybody, with every right.
    if (facts.who.session) await demandPresence(facts.who.session)
    const { workspace, actor } = facts.who
    const by = { workspace: workspace.id, user: actor.type === 'user' ? actor.id : undefined }
    const plugin = await installer.install(integrity, by, { force })
    return request.json({ data: { plugin, version: manifest.version } }, 201)
  })
  return app
}

/** An integrity in an address, where base64 has letters of its own. */
function idOf(integrity: string): string {
  return Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('base64url')
}

function integrityOf(id: string): string {
  if (!/^[\w-]{86}$/.test(id)) throw uploadUnknown({ id })
  return `sha512-${Buffer.from(id, 'base64url').toString('base64')}`
}

async function received(request: Request): Promise<Buffer> {
  const body = await fileOf(request)
  if (!body) throw archiveRefused({ reason: 'absent', entry: 'none' })
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.byteLength
    if (size > uploadLimit) throw archiveRefused({ reason: 'upload', entry: 'none' })
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
