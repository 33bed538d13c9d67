import { expect, test } from 'vitest'
import { WhileAsked } from '../src/while-asked.ts'

test('whoever asks during a look gets one more, and not one each', async () => {
  let looks = 0
  const go = Promise.withResolvers<void>()
  const work = new WhileAsked(async () => {
    looks += 1
    await go.promise
  })
  const first = work.ask()
  void work.ask()
  void work.ask()
  go.resolve()
  await first
  expect(looks).toBe(2)
  expect(work.going).toBeUndefined()
})

test('nobody who asks in the moment it ends waits for nothing', async () => {
  for (let ticks = 0; ticks < 6; ticks += 1) {
    let looks = 0
    const work = new WhileAsked(async () => {
      looks += 1
      if (looks > 1) return
      // So many turns after the look has ended.
      const ask = async (left: number): Promise<void> =>
        left > 0 ? Promise.resolve().then(() => ask(left - 1)) : work.ask()
      void ask(ticks)
    })
    await work.ask()
    await new Promise((resolve) => setTimeout(resolve))
    expect([ticks, looks]).toEqual([ticks, 2])
  }
})
