import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { stackOf, type Faults } from './faults.ts'
import { running, type Running } from './running.ts'

const beatEvery = 100
/** An embedded database works in this very thread: what takes it long would on a server hold nobody up. */
const embeddedDatabase = '/@electric-sql/pglite/'

/** What the watching thread saw: nothing else ran for so long. */
export interface Standstill {
  readonly milliseconds: number
  /** For whom code ran, by its own word. */
  readonly who?: Running
  /** What ran, innermost first: `function (file:line)`. */
  readonly frames: readonly string[]
}

export interface Watchdog {
  stop(): Promise<void>
}

/** What the watching thread calls in this one, by this name; a thread shares no module with another. */
export const whoRuns = Symbol.for('socle.who-runs')

/**
 * Watches, from a thread of its own, that the event loop turns. What stands in its way for a second and more is asked for by
 * the inspector's protocol and told as a stall of its plugin. A loop that never ends is named on the error output; only a
 * restart ends it.
 */
export function watch(faults: Faults, log: Logger): Watchdog {
  const beat = new Int32Array(new SharedArrayBuffer(4))
  const timer = setInterval(() => Atomics.add(beat, 0, 1), beatEvery)
  timer.unref()
  Reflect.set(globalThis, whoRuns, () => {
    const it = running.getStore()
    return it && { plugin: it.plugin, workspace: it.workspace }
  })
  const file = import.meta.url.endsWith('.ts') ? './stall-watcher.ts' : './stall-watcher.js'
  const worker = new Worker(new URL(file, import.meta.url), { workerData: beat })
  worker.unref()
  worker.on('error', (error) => log.error({ err: error }, 'standstills are no longer watched for'))
  worker.on('message', ({ milliseconds, who, frames }: Standstill) => {
    const isDatabase = frames.some((frame) => frame.includes(embeddedDatabase))
    const blamed = isDatabase
      ? undefined
      : faults.blame(Object.assign(new Error(), { stack: stackOf(frames) }), who?.plugin)
    log.warn({ milliseconds, who, frames, plugin: blamed }, 'the event loop stood still')
    if (blamed === undefined) return
    const workspace = who?.plugin === blamed ? who.workspace : undefined
    faults.stalled({ plugin: blamed, ...(workspace === undefined ? {} : { workspace }) }, milliseconds, frames)
  })
  return {
    async stop() {
      clearInterval(timer)
      Reflect.deleteProperty(globalThis, whoRuns)
      await worker.terminate()
    },
  }
}
