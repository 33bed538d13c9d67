import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { run } from '../src/cli.ts'
import { readEnvironment } from '../src/config.ts'
import { GivenClock } from '../src/given-clock.ts'
import { serve } from '../src/serve.ts'
import { definePlugin, defineRoute } from '@socle/sdk'
import { z } from 'zod'

test('a process that ends answers what was asked before, and takes nothing more', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'socle-served-'))
  const served = await serve({
    environment: readEnvironment({
      SOCLE_DATA: folder,
      PORT: '0',
      HOST: '127.0.0.1',
      SOCLE_DEMO: '0',
      SOCLE_ADMIN_PASSWORD: 'a password of tests',
      LOG_LEVEL: 'silent',
    }),
    tell: () => {},
  })
  try {
    // Checking a password takes long enough to be under way.
    const asked = fetch(`${served.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { origin: served.url, 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'admin@example.com', password: 'a password of tests' }),
    })
    await pause(20)
    await served.close()
    expect((await asked).status).toBe(200)
    await expect(fetch(`${served.url}/healthz`)).rejects.toThrow('fetch failed')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test(
  'the time of a platform under test is set by request, for every process; of any other it is not',
  { timeout: 120_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'socle-served-'))
    const start = (more: Record<string, string>) =>
      serve({
        environment: readEnvironment({
          SOCLE_DATA: folder,
          PORT: '0',
          HOST: '127.0.0.1',
          SOCLE_DEMO: '0',
          SOCLE_ADMIN_PASSWORD: 'a password of tests',
          LOG_LEVEL: 'silent',
          ...more,
        }),
        tell: () => {},
      })
    const put = async (url: string, body: object) => {
      const answer = await fetch(`${url}/api/core/test/clock`, {
        method: 'PUT',
        headers: { origin: url, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: answer.status, body: (await answer.json()) as { data: { now: string } } }
    }
    try {
      const tested = await start({ SOCLE_TEST_CLOCK: '1' })
      const { clock, database } = tested.app.kernel.parts
      expect(Math.abs(clock.now().getTime() - Date.now())).toBeLessThan(5_000)
      const still = { data: { now: '2031-05-04T10:00:00.000Z', frozen: true } }
      expect(await put(tested.url, { now: '2031-05-04T12:00:00+02:00', frozen: true })).toEqual({
        status: 200,
        body: still,
      })
      await pause(20)
      expect(clock.now().toISOString()).toBe(still.data.now)
      expect((await put(tested.url, { advance: 'P1DT30M' })).body.data.now).toBe('2031-05-05T10:30:00.000Z')
      const elsewhere = new GivenClock(database)
      await elsewhere.follow()
      expect(elsewhere.now()).toEqual(clock.now())
      for (const body of [{ advance: 'a day' }, { now: 'soon' }, { now: still.data.now, advance: 'P1D' }])
        expect((await put(tested.url, body)).status).toBe(422)
      await put(tested.url, { frozen: false })
      await pause(20)
      expect(clock.now().getTime()).toBeGreaterThan(Date.parse('2031-05-05T10:30:00.000Z'))
      await tested.close()

      const again = await start({ SOCLE_TEST_CLOCK: '1' })
      expect(again.app.kernel.parts.clock.now().toISOString()).toMatch(/^2031-05-05/)
      await again.close()
      const other = await start({})
      expect((await put(other.url, { advance: 'P1D' })).status).toBe(401)
      expect(Math.abs(other.app.kernel.parts.clock.now().getTime() - Date.now())).toBeLessThan(5_000)
      await other.close()
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)

test('a process ends although calls of a module never do, nor what it began', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'socle-served-'))
  let began!: () => void
  const asked = new Promise<void>((resolve) => (began = resolve))
  const never = () => new Promise<never>(() => {})
  const idle = definePlugin({
    id: 'idle',
    version: '1.0.0',
    platform: '^1.0.0',
    title: { en: 'Idle', fr: 'Oisif' },
    routes: [
      defineRoute({
        method: 'post',
        path: '/calls',
        permission: 'authenticated',
        summary: 'A call',
        answer: z.string(),
        handle() {
          began()
          return never()
        },
      }),
    ],
    lifecycle: { onEnable: async () => never },
  })
  const served = await serve({
    environment: readEnvironment({
      SOCLE_DATA: folder,
      PORT: '0',
      HOST: '127.0.0.1',
      SOCLE_DEMO: '0',
      SOCLE_ADMIN_PASSWORD: 'a password of tests',
      SOCLE_DRAIN_SECONDS: '1',
      SOCLE_MODULE_SECONDS: '5',
      LOG_LEVEL: 'silent',
    }),
    plugins: [idle],
    tell: () => {},
  })
  try {
    const headers = { origin: served.url, 'content-type': 'application/json' }
    const signedIn = await fetch(`${served.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ email: 'admin@example.com', password: 'a password of tests' }),
    })
    const cookie = signedIn.headers
      .getSetCookie()
      .map((it) => it.split(';')[0])
      .join('; ')
    const post = (path: string) =>
      fetch(`${served.url}${path}`, { method: 'POST', headers: { ...headers, cookie }, body: '{}' })
    expect((await post('/api/core/plugins/idle/enable')).status).toBe(200)
    const calling = post('/api/idle/calls').then(
      () => 'answered',
      () => 'cut off',
    )
    await asked
    await served.close()
    expect(await calling).toBe('cut off')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test(
  'an embedded database serves one process at a time, and one that was killed keeps nobody out',
  { timeout: 240_000 },
  async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'socle-held-')))
    const start = () =>
      fork(join(import.meta.dirname, 'serve-process.ts'), [folder], {
        execArgv: ['--conditions=socle-source'],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      })
    const operator = async () => {
      const lines: string[] = []
      const variables = { SOCLE_DATA: folder }
      const code = await run(['plugin', 'list', '--json'], { variables, tell: (line) => lines.push(line) })
      return { code, said: JSON.parse(lines.join('\n')) }
    }
    const first = start()
    const started = [first]
    try {
      await once(first, 'message')
      const second = start()
      started.push(second)
      let said = ''
      second.stderr?.on('data', (text: Buffer) => (said += text.toString()))
      expect((await once(second, 'close'))[0]).toBe(1)
      const holder = `DATABASE_IN_USE: The embedded database in ${join(folder, 'database')} is in use by process ${first.pid} on `
      expect(said).toContain(holder)
      expect(said).toContain('set DATABASE_URL')
      expect(said).not.toContain('    at ')
      expect(await operator()).toMatchObject({
        code: 1,
        said: { code: 'DATABASE_IN_USE', detail: expect.stringContaining(`by process ${first.pid} on `) },
      })

      first.kill('SIGKILL')
      await once(first, 'exit')
      const third = start()
      started.push(third)
      const [{ url }] = (await once(third, 'message')) as [{ url: string }]
      expect((await fetch(`${url}/healthz`)).status).toBe(200)
      third.kill('SIGKILL')
      await once(third, 'exit')
      expect(await operator()).toMatchObject({ code: 0, said: [{ id: 'broken-rejection' }, { id: 'hello' }] })
      expect(await operator()).toMatchObject({ code: 0 })
    } finally {
      for (const child of started) child.kill('SIGKILL')
      await rm(folder, { recursive: true })
    }
  },
)
