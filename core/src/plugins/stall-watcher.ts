// A thread of its own, started by watchdog.ts: it sees that the main thread stands still, and asks what it is at.
import { writeSync } from 'node:fs'
import { Session, type Debugger } from 'node:inspector'
import { parentPort, workerData } from 'node:worker_threads'
import type { Standstill } from './watchdog.ts'

const lookEvery = 250
/** A standstill shorter than this is nobody's business. */
const shortest = 1_000
/** Nobody but this thread can still say anything: what has not ended by then may never. */
const tellAfter = 10_000

const beat = workerData as Int32Array
const scripts = new Map<string, string>()
let seen = Atomics.load(beat, 0)
let since = Date.now()
let asked: Promise<Pick<Standstill, 'who' | 'frames'>> | undefined
let told = false

setInterval(() => void look(), lookEvery)

async function look(): Promise<void> {
  const now = Atomics.load(beat, 0)
  const milliseconds = Date.now() - since
  if (now === seen) {
    if (milliseconds >= shortest) asked ??= ask()
    if (milliseconds >= tellAfter && !told) {
      told = true
      await tell(milliseconds)
    }
    return
  }
  const about = asked
  seen = now
  since = Date.now()
  asked = undefined
  told = false
  if (!about) return
  const found = await about.catch(() => ({ frames: [] }))
  parentPort?.postMessage({ ...found, milliseconds } satisfies Standstill)
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

/** Stops the main thread for a moment, wherever it is, and reads what stands on its stack and for whom it runs. */
async function ask(): Promise<Pick<Standstill, 'who' | 'frames'>> {
  const session = new Session()
  session.connectToMainThread()
  const paused = Promise.withResolvers<Debugger.CallFrame[]>()
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params.url))
  session.on('Debugger.paused', ({ params }) => paused.resolve(params.callFrames))
  const post = (method: string, parameters: object = {}) =>
    new Promise<{ result?: { value?: unknown } }>((done) => {
      session.post(method, parameters, (_, answer) => done((answer ?? {}) as { result?: { value?: unknown } }))
    })
  try {
    await post('Debugger.enable')
    await post('Debugger.pause')
    const frames = await paused.promise
    // A function of Node's own knows no global but its own.
    const top = frames.find(({ location }) => !scripts.get(location.scriptId)?.startsWith('node:')) ?? frames[0]
    const answer = await post('Debugger.evaluateOnCallFrame', {
      callFrameId: top?.callFrameId,
      expression: "globalThis[Symbol.for('socle.who-runs')]?.()",
      returnByValue: true,
    })
    await post('Debugger.resume')
    const who = JSON.parse(String(answer.result?.value ?? '{}')) as Partial<NonNullable<Standstill['who']>>
    return { frames: frames.slice(0, 20).map(frameText), ...(who.plugin === undefined ? {} : { who: who as never }) }
  } finally {
    session.disconnect()
  }
}

function frameText({ functionName, location: { scriptId, lineNumber } }: Debugger.CallFrame): string {
  return `${functionName || 'anonymous'} (${scripts.get(scriptId)?.replace('file://', '') ?? 'unknown'}:${lineNumber + 1})`
}
