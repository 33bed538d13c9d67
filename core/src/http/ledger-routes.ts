import { Hono } from 'hono'
import type { Kernel } from '../kernel.ts'
import { permissionDenied } from '../permissions/errors.ts'
import type { LedgerSealer } from '../records/ledger-chain.ts'
import { changeSetHeader, defined, engineOf, unitOf } from './resource-routes.ts'
import type { PluginEnv } from './who.ts'

/** `/audit` and `/change-sets`: what the ledger tells, proves and takes back. */
export function ledgerRoutes(kernel: Kernel, ledger: LedgerSealer): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()

  app.post('/change-sets/:id/undo', async (request) => {
    const undoOf = request.req.param('id')
    const { facts } = request.env
    const { who, id } = facts
    const { answer, headers } = await kernel.unit(
      {
        workspace: who.workspace,
        actor: who.actor,
        authority: who.authority,
        plugin: 'core',
        cause: { origin: who.actor.type === 'key' ? 'api' : 'ui', request: id, undoOf },
        signal: request.req.raw.signal,
      },
      async (ctx) => ({ answer: await engineOf(ctx).undo(undoOf), headers: changeSetHeader(ctx) }),
    )
    return request.json({ data: answer }, 200, headers)
  })

  app.get('/audit', async (request) => {
    const { after, actor, resource, origin, from, to, limit } = request.req.query()
    const query = defined({
      after,
      actor,
      resource,
      origin,
      from,
      to,
      limit: limit === undefined ? undefined : Number(limit),
    })
    const { facts } = request.env
    const { data, next } = await unitOf(
      kernel,
      { facts, raw: request.req.raw, plugin: 'core', readonly: true },
      (ctx) => engineOf(ctx).audit(query),
    )
    return request.json({ data, page: { next } })
  })

  app.get('/audit/verification', async (request) => {
    const { facts } = request.env
    const { workspace, authority } = facts.who
    if (!authority.may('core.audit.read')) throw permissionDenied({ permission: 'core.audit.read' })
    // What is committed by now is part of the answer.
    await ledger.seal(workspace.id)
    const data = await unitOf(kernel, { facts, raw: request.req.raw, plugin: 'core', readonly: true }, (ctx) =>
      engineOf(ctx).verify(),
    )
    return request.json({ data })
  })
  return app
}
