import { ProblemError } from '@socle/sdk/ui'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { followJob } from '../src/follow-job.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

type Answer = string | number

/** Reads these one after the other, a number being the status of a failure, and the last again and again. */
function server(...answers: readonly Answer[]) {
  let asked = 0
  return {
    get asked() {
      return asked
    },
    read: async () => {
      const answer = answers[Math.min(asked++, answers.length - 1)]!
      if (typeof answer === 'string') return { state: answer }
      throw new ProblemError({ title: 'No', detail: 'No', code: 'NO', status: answer })
    },
  }
}

async function followed(read: () => Promise<{ state: string }>, signal = new AbortController().signal) {
  const end = followJob(read, { every: 500, signal }).catch((error: ProblemError) => error)
  await vi.runAllTimersAsync()
  return end
}

test('work is followed until it ends, paused or not', async () => {
  const { read } = server('queued', 'running', 'paused', 'running', 'failed')
  expect(await followed(read)).toEqual({ state: 'failed' })
})

test('a server that was away is asked again', async () => {
  const { read } = server('running', 0, 0, 503, 'running', 'done')
  expect(await followed(read)).toEqual({ state: 'done' })
})

test('a refusal is the end of asking', async () => {
  const it = server('running', 401)
  expect(await followed(it.read)).toMatchObject({ status: 401 })
  expect(it.asked).toBe(2)
})

test('a server that stays away is given up', async () => {
  const it = server(0)
  expect(await followed(it.read)).toMatchObject({ status: 0 })
  expect(it.asked).toBe(8)
})

test('nobody asks for one who has left', async () => {
  const it = server('running')
  const left = new AbortController()
  left.abort()
  expect(await followed(it.read, left.signal)).toBeUndefined()
  expect(it.asked).toBe(0)
})
