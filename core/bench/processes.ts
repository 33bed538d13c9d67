import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A server under measurement, in a process of its own. */
export interface Server {
  readonly url: string
  /** Name under which PostgreSQL lists its connections. */
  readonly application: string
  /** Seconds of processor time it has used. */
  cpu(): Promise<number>
  /** Bytes that are in use once what is not has been collected: what a process holds besides is when it was last done. */
  heap(): Promise<number>
  close(): Promise<void>
}

/** Starts a file of this folder; it says its address once it listens. */
export async function startServer(file: string, application: string, ...args: readonly string[]): Promise<Server> {
  const child = fork(join(import.meta.dirname, file), [...args], {
    // As this process runs: `node --cpu-prof` profiles the servers too.
    execArgv: process.execArgv,
    env: { ...process.env, NODE_ENV: 'production', PGAPPNAME: application },
  })
  const { url } = await said<{ url: string }>(child)
  return {
    url,
    application,
    async cpu() {
      child.send('cpu')
      return (await said<{ cpu: number }>(child)).cpu
    },
    async heap() {
      child.send('heap')
      return (await said<{ heap: number }>(child)).heap
    },
    async close() {
      if (child.exitCode !== null) return
      child.send('close')
      await once(child, 'exit')
    },
  }
}

async function said<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController()
  try {
    return await Promise.race([
      once(child, 'message', { signal: ended.signal }).then(([message]) => message as T),
      once(child, 'exit', { signal: ended.signal }).then(([code]): never => {
        throw new Error(`A measured server ended with ${String(code)}.`)
      }),
    ])
  } finally {
    ended.abort()
  }
}

/** In the child: tells what it uses when asked, and ends when told, or with the one who asks. */
export function answerUse(close: () => Promise<void>): void {
  process.once('disconnect', () => process.exit(0))
  process.on('message', (message) => {
    if (message === 'cpu') {
      const { user, system } = process.cpuUsage()
      process.send?.({ cpu: (user + system) / 1e6 })
    }
    if (message === 'heap') void usedHeap().then((heap) => process.send?.({ heap }))
    if (message === 'close') void close().finally(() => process.exit(0))
  })
}

async function usedHeap(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // What was told to be collected may hold others until its turn.
  for (let turn = 0; turn < 4; turn += 1) {
    collect()
    await pause(50)
  }
  return process.memoryUsage().heapUsed
}

const ticksPerSecond = 100

/** Seconds of processor time of a PostgreSQL process; undefined where the server is another machine or no Linux. */
export async function processCpu(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // Fields after the command's closing parenthesis: state is the third, user and system time the 14th and 15th.
  const parts = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  if (!text?.includes('(postgres') || !parts) return undefined
  return (Number(parts[11]) + Number(parts[12])) / ticksPerSecond
}
