import { definePlugin, defineRoute, z } from '@socle/sdk'

/** Answers as if all were well, and leaves what fails behind it to nobody. */
export const brokenRejectionPlugin = definePlugin({
  id: 'broken-rejection',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Broken rejection', fr: 'Promesse rompue' },
  routes: [
    defineRoute({
      method: 'post',
      path: '/calls',
      permission: 'authenticated',
      summary: 'A call; `how` says what it leaves behind',
      body: z.strictObject({ how: z.enum(['nothing', 'rejection', 'timer', 'standstill']) }),
      answer: z.string(),
      async handle({ body: { how } }) {
        if (how === 'rejection') void Promise.reject(new Error('Nobody waits for this'))
        if (how === 'timer') setTimeout(() => fail(), 1)
        if (how === 'standstill') standStill(4_000)
        return 'done'
      },
    }),
  ],
})

function fail(): never {
  throw new Error('Nobody catches this')
}

function standStill(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end) Math.sqrt(end)
}
