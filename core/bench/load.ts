import { Agent, request } from 'node:http'

/** One request of a load: what is sent, and where. */
export interface Call {
  readonly method: string
  readonly path: string
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** What a run of requests took, milliseconds each, in the order they ended. */
export interface Load {
  readonly latencies: readonly number[]
  readonly seconds: number
}

/** Requests over kept connections to one server; an answer other than 2xx ends the run, for it would be fast and wrong. */
export class Client {
  readonly #base: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })

  constructor(base: string, headers: Readonly<Record<string, string>> = {}) {
    this.#base = new URL(base)
    this.#headers = headers
  }

  async send({ method, path, body, headers = {} }: Call): Promise<string> {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          agent: this.#agent,
          host: this.#base.hostname,
          port: this.#base.port,
          method,
          path,
          headers: {
            ...this.#headers,
            ...headers,
            ...(payload === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          },
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            const status = answer.statusCode ?? 0
            if (status >= 200 && status < 300) resolve(text)
            else reject(new Error(`${method} ${path} answered ${status}: ${text.slice(0, 300)}`))
          })
        },
      )
      sent.on('error', reject)
      sent.end(payload)
    })
  }

  /** Sends at most `count` requests for at most `seconds`, from `clients` that each wait for their answer. */
  async drive(
    next: () => Call,
    { clients, count, seconds }: { clients: number; count: number; seconds: number },
  ): Promise<Load> {
    // What stayed open since the last run may be closing at the server's end just now.
    this.#agent.destroy()
    const latencies: number[] = []
    const started = performance.now()
    const until = started + seconds * 1000
    let left = count
    const one = async () => {
      while (left > 0 && performance.now() < until) {
        left -= 1
        const at = performance.now()
        await this.send(next())
        latencies.push(performance.now() - at)
      }
    }
    await Promise.all(Array.from({ length: clients }, one))
    return { latencies, seconds: (performance.now() - started) / 1000 }
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** The value below which `share` (0 to 1) of the values lie; 0 for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
