import { defineRoute, z } from '@socle/sdk'
import { generate } from 'lean-qr'
import { badges } from './resources.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/badges/:id/square',
    permission: 'badges.badge.print',
    summary: 'The badge as a QR code, one text for each of its rows',
    params: z.object({ id: z.uuid() }),
    answer: z.object({ data: z.object({ rows: z.array(z.string()) }) }),
    async handle({ params }, { records }) {
      const { data } = await records.get(badges, params.id, { fields: ['visitor'] })
      const square = generate(`${params.id} ${String(data['visitor'])}`)
      return { data: { rows: square.toString({ on: '#', off: ' ', padX: 0, padY: 0 }).split('\n') } }
    },
  }),
]
