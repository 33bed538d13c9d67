import { definePage, definePages, html, z } from '@socle/sdk'
import { badges } from './resources.ts'

export const publicPages = [
  definePages('badge', {
    title: { en: 'Check of a badge', fr: 'Vérification d’un badge' },
    pages: [
      definePage({
        method: 'get',
        path: '/:id',
        summary: 'Says whose badge it is, to whoever stands before it',
        params: z.object({ id: z.uuid() }),
        // Who has read the id has the badge before them: it shows what is printed there, and no more.
        async handle({ params }, ctx) {
          const { data } = await ctx.asSystem().records.get(badges, params.id, { fields: ['visitor'] })
          return {
            html: html`<!doctype html>
              <html lang=${ctx.locale}>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width" />
                <title>${ctx.workspace.name}</title>
                <h1>${data['visitor']}</h1>
                <p>${ctx.workspace.name}</p>
              </html>`,
          }
        },
      }),
    ],
  }),
]
