import { hash, timingSafeEqual } from 'node:crypto'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { metricsClosed, routeNotFound } from './problem.ts'

/**
 * Figures for Prometheus: requests by module and outcome, and the process's memory. They tell what a deployment runs and how
 * much, so they are for whoever brings its token, and for nobody where none is set.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests = new Counter({
    name: 'socle_http_requests_total',
    help: 'Requests answered',
    labelNames: ['plugin', 'method', 'status'],
    registers: [this.#registry],
  })
  readonly #seconds = new Histogram({
    name: 'socle_http_request_seconds',
    help: 'Time from the request to the head of its answer',
    labelNames: ['plugin'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.#registry],
  })

  readonly #token: Buffer | undefined

  constructor(token: string | undefined) {
    this.#token = token === undefined ? undefined : digest(token)
    new Gauge({
      name: 'socle_process_resident_bytes',
      help: 'Resident memory of the process',
      registers: [this.#registry],
      collect() {
        this.set(process.memoryUsage.rss())
      },
    })
  }

  count(plugin: string, method: string, status: number, seconds: number): void {
    this.#requests.inc({ plugin, method, status })
    this.#seconds.observe({ plugin }, seconds)
  }

  /**
   * Text exposition format 0.0.4.
   *
   * @throws `ROUTE_NOT_FOUND` (404) where no token is set, `METRICS_CLOSED` (401) for another one
   */
  async answer({
    method,
    path,
    bearer,
  }: {
    method: string
    path: string
    bearer: string | undefined
  }): Promise<Response> {
    if (!this.#token) throw routeNotFound({ method, path })
    if (!timingSafeEqual(this.#token, digest(bearer ?? ''))) throw metricsClosed({})
    return new Response(await this.#registry.metrics(), { headers: { 'content-type': this.#registry.contentType } })
  }
}

/** Of one length, whatever was sent. */
function digest(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}
