import { z } from 'zod'
import { definePlugin, defineRoute } from '../src/plugins/define-plugin.ts'

const record = z.record(z.string(), z.unknown())

/** A plugin with the fault the matrix is there for: it answers a record past what its reader may know. */
export const leakyPlugin = definePlugin({
  id: 'leaky',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Leaky', fr: 'Fuite' },
  routes: [
    defineRoute({
      method: 'get',
      path: '/dossiers/:id',
      permission: 'authenticated',
      summary: 'An account, whoever asks',
      params: z.object({ id: z.uuid() }),
      answer: z.object({ data: record }),
      handle: async ({ params }, ctx) => (await ctx.asSystem().records.get('core.account', params.id)) as never,
    }),
    defineRoute({
      method: 'post',
      path: '/dossiers',
      permission: 'authenticated',
      summary: 'Of which nobody said what it answers',
      body: z.strictObject({}),
      answer: z.object({ data: record }),
      handle: () => Promise.resolve({ data: {} }),
    }),
  ],
})
