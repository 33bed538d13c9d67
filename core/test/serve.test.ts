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
import { serve, type ServeOptions } from '../src/serve.ts'
import { calledPlugin } from './called-plugin.ts'

const password = 'a password of tests'

/** A platform that listens, on an embedded database in a folder. */
const listening = (
  folder: string,
  more: Readonly<Record<string, string>> = {},
  plugins: ServeOptions['plugins'] = [],
) =>
  serve({
    environment: readEnvironment({
      SOCLE_DATA: folder,
      PORT: '0',
      HOST: '127.0.0.1',
      SOCLE_DEMO: '0',
      SOCLE_ADMIN_PASSWORD: password,
      LOG_LEVEL: 'silent',
      ...more,
    }),
    plugins,
    tell: () => {},
  })

/** Asks as the administrator, who is signed in. */
async function administrator(url: string): Promise<(path: string) => Promise<Response>> {
  const headers = { origin: url, 'content-type': 'application/json' }
  const post = (path: string, body: object, more: Readonly<Record<string, string>> = {}) =>
    fetch(`${url}${path}`, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) })
  const signedIn = await post('/api/auth/sign-in/email', { email: 'admin@example.com', password })
  const cookies = signedIn.headers.getSetCookie().map((it) => it.split(';')[0])
  return (path) => post(path, {}, { cookie: cookies.join('; ') })
}

/** Something that a test waits for, or lets happen. */
function moment() {
  let come!: () => void
  const there = new Promise<void>((resolve) => (come = resolve))
  return { come, there }
}

test('a process that ends answers what was asked before, and takes nothing more', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'socle-served-'))
  const [asked, answered] = [moment(), moment()]
  const slow = calledPlugin('slow', async () => {
    asked.come()
    await answered.there
    return 'done'
  })
  const served = await listening(folder, {}, [slow])
  try {
    const post = await administrator(served.url)
    expect((await post('/api/core/plugins/slow/enable')).status).toBe(200)
    const calling = post('/api/slow/calls')
    await asked.there
    const closing = served.close()
    await expect(fetch(`${served.url}/healthz`)).rejects.toThrow('fetch failed')
    answered.come()
    expect((await calling).status).toBe(200)
    await closing
  } finally {
    await rm(folder, { recursive: true })
  }
})

test(
  'the time of a platform under test is set by request, for every process; of any other it is not',
  { timeout: 120_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'socle-served-'))
    const put = async (url: string, body: object) => {
      const answer = await fetch(`${url}/api/core/test/clock`, {
        method: 'PUT',
        headers: { origin: url, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: answer.status, body: (await answer.json()) as { data: { now: string } } }
    }
    try {
      const tested = await listening(folder, { SOCLE_TEST_CLOCK: '1' })
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

      const again = await listening(folder, { SOCLE_TEST_CLOCK: '1' })
      expect(again.app.kernel.parts.clock.now().toISOString()).toMatch(/^2031-05-05/)
      await again.close()
      const other = await listening(folder)
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
  const asked = moment()
  const never = () => new Promise<never>(() => {})
  const hang = () => {
    asked.come()
    return never()
  }
  const idle = calledPlugin('idle', hang, { lifecycle: { onEnable: async () => never } })
  const served = await listening(folder, { SOCLE_DRAIN_SECONDS: '1', SOCLE_MODULE_SECONDS: '5' }, [idle])
  try {
    const post = await administrator(served.url)
    expect((await post('/api/core/plugins/idle/enable')).status).toBe(200)
    const calling = post('/api/idle/calls').then(
      () => 'answered',
      () => 'cut off',
    )
    await asked.there
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
