import { Hono } from 'hono'
import { z } from 'zod'
import { KnownAccountsService } from '../entities/known-accounts.ts'
import type { Kernel } from '../kernel.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { systemAuthority } from '../permissions/system-authority.ts'
import { readJson } from './body.ts'
import { parsed } from './parsed.ts'
import { unitOf } from './resource-routes.ts'
import type { PluginEnv } from './who.ts'

const permission = 'core.known-account.ask'
const text = z.string().trim().min(1)

const question = z.strictObject({
  name: text.max(200).optional(),
  domain: text.max(253).optional(),
  siren: text.max(40).optional(),
})

/** `/known-accounts`: whether somebody is known here, in one word. */
export function knownAccountRoutes(kernel: Kernel): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  app.post('/known-accounts', async (request) => {
    const { facts } = request.env
    const { actor, authority } = facts.who
    if (!authority.may(permission) || actor.id === undefined) throw permissionDenied({ permission })
    const asked = parsed(question, await readJson(request.req.raw))
    const asker = {
      id: actor.id,
      teams: authority.teams,
      ...(authority.partners ? { partners: authority.partners } : {}),
    }
    // The one question whose answer is about accounts out of the asker's reach. So its unit has the platform's rights and
    // stands on the house's side of the wall, under the asker's name; nothing leaves it but a word of three.
    const house = { ...facts, who: { ...facts.who, authority: systemAuthority } }
    const answer = await unitOf(kernel, { facts: house, raw: request.req.raw, plugin: 'core' }, (ctx) =>
      new KnownAccountsService(ctx).ask(asked, asker),
    )
    return request.json({ answer }, 200, { 'cache-control': 'no-store' })
  })
  return app
}
