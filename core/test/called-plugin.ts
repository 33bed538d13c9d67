import { definePlugin, defineRoute } from '@socle/sdk'
import { z } from 'zod'
import type { Context } from '../src/context.ts'
import type { PluginDefinition } from '../src/plugins/define-plugin.ts'

/** A module that is called by `POST /api/<id>/calls`, and does then what a test says. */
export function calledPlugin(
  id: string,
  handle: (ctx: Context) => Promise<string>,
  more: Partial<PluginDefinition> = {},
): PluginDefinition {
  return definePlugin({
    id,
    version: '1.0.0',
    platform: '^1.0.0',
    title: { en: id, fr: id },
    ...more,
    routes: [
      defineRoute({
        method: 'post',
        path: '/calls',
        permission: 'authenticated',
        summary: 'A call',
        answer: z.string(),
        handle: (_, ctx) => handle(ctx),
      }),
      ...(more.routes ?? []),
    ],
  })
}
