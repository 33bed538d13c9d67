// A thread of its own, started by watchdog.ts: it sees that the main thread stands still, and asks what it is at.
import { writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { parentPort, workerData } from 'node:worker_threads'
import type { Running } from './running.ts'
import type { Standstill } from './watchdog.ts'

const lookEvery = 250
/** A standstill shorter than this is nobody's business. */
const shortest = 1_000
/** Nobody but this thread can still say anything: what has not ended by then may never. */
const tellAfter = 10_000
/** A look that comes later than this came late itself: the whole machine slept, or has no time for anybody. */
const longestLook = 1_000

const beat = workerData as Int32Array
let seen = Atomics.load(beat, 0)
let lookedAt = Date.now()
let milliseconds = 0
let asked: Promise<Pick<Standstill, 'who' | 'frames'>> | undefined
let told = false

setInterval(() => void look(), lookEvery)

async function look(): Promise<void> {
  const now = Atomics.load(beat, 0)
  milliseconds += Math.min(Date.now() - lookedAt, longestLook)
  lookedAt = Date.now()
  if (now === seen) {
    if (milliseconds >= shortest) asked ??= ask()
    if (milliseconds >= tellAfter && !told) {
      told = true
      await tell(milliseconds)
    }
    return
  }
  const about = asked
  const lasted = milliseconds
  seen = now
  milliseconds = 0
  asked = undefined
  told = false
  if (!about) return
  const found = await about.catch(() => ({ frames: [] }))
  parentPort?.postMessage({ ...found, milliseconds: lasted } satisfies Standstill)
}

/** The log is the main thread's, which writes nothing now. To end it from here would end the process. */
async function tell(milliseconds: number): Promise<void> {
  const found = await asked?.catch(() => undefined)
  const line = {
    level: 60,
    time: Date.now(),
    milliseconds,
    ...found,
    msg: 'the event loop stands still, and nobody is served',
  }
  writeSync(2, `${JSON.stringify(line)}\n`)
}

/**
 * Has the main thread, wherever it is, say for whom it runs and what stands on its stack. It is asked by an expression and not
 * by the debugger, for which an engine compiles the embedded database anew, and slower.
 */
async function ask(): Promise<Pick<Standstill, 'who' | 'frames'>> {
  const session = new Session()
  session.connectToMainThread()
  try {
    const answer = await new Promise<{ result?: { value?: unknown } }>((done) => {
      session.post('Runtime.evaluate', { expression: question, returnByValue: true }, (_, said) => done(said ?? {}))
    })
    const { who, stack } = JSON.parse(String(answer.result?.value)) as { who?: Running; stack: string }
    return { frames: framesIn(stack), ...(who ? { who } : {}) }
  } finally {
    session.disconnect()
  }
}

const question = `(() => {
  const most = Error.stackTraceLimit
  Error.stackTraceLimit = 40
  const { stack } = new Error()
  Error.stackTraceLimit = most
  return JSON.stringify({ who: globalThis[Symbol.for('socle.who-runs')]?.(), stack })
})()`

/** Frames that stand in a file: those of the question and of the engine's own functions do not. */
function framesIn(stack: string): string[] {
  return stack
    .split('\n')
    .flatMap((line) => {
      const [, name = 'anonymous', file, row] = /^ {4}at (?:(.+) \()?([^<(].*?):(\d+):\d+\)?$/.exec(line) ?? []
      return file === undefined ? [] : [`${name} (${file.replace('file://', '')}:${row})`]
    })
    .slice(0, 20)
}
