import { availableParallelism, loadavg } from 'node:os'
import { percentile, type Load } from './load.ts'
import type { Scenario } from './scenarios.ts'

/** What one side did in one scenario, over all rounds. */
export class Tally {
  readonly #alone: number[] = []
  readonly #crowded: number[] = []
  #seconds = 0
  #serverCpu = 0
  #databaseCpu: number | undefined = 0

  add(alone: Load, crowded: Load, cpu: { server: number; database: number | undefined }): void {
    this.#alone.push(...alone.latencies)
    this.#crowded.push(...crowded.latencies)
    this.#seconds += crowded.seconds
    this.#serverCpu += cpu.server
    this.#databaseCpu =
      this.#databaseCpu === undefined || cpu.database === undefined ? undefined : this.#databaseCpu + cpu.database
  }
  get perSecond(): number {
    return this.#crowded.length / this.#seconds
  }
  /** Milliseconds, one client. */
  alone(share: number): number {
    return percentile(this.#alone, share)
  }
  /** Milliseconds, the crowd. */
  crowded(share: number): number {
    return percentile(this.#crowded, share)
  }
  /** Milliseconds of processor time a request costs, server and database; NaN where the database's is not to be seen. */
  get cpu(): number {
    return ((this.#serverCpu + (this.#databaseCpu ?? Number.NaN)) * 1000) / this.#crowded.length
  }
  get serverCpu(): number {
    return (this.#serverCpu * 1000) / this.#crowded.length
  }
}

export interface Figure {
  readonly scenario: Scenario
  readonly ours: Tally
  readonly baseline: Tally
}

/** The figures as a table of Markdown. */
export function report(figures: readonly Figure[], { rows, rounds }: { rows: number; rounds: number }): string[] {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const rate = (value: number) => value.toFixed(value < 10 ? 1 : 0)
  const ms = (value: number) => value.toFixed(value < 10 ? 2 : 1)
  const pair = (ours: number, baseline: number) => `${ms(ours)} / ${ms(baseline)}`
  const cpu = (value: number) => (Number.isNaN(value) ? '?' : ms(value))
  say('')
  say(
    `${new Date().toISOString().slice(0, 10)}, ${rows.toLocaleString('en')} contacts, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, ${rounds} rounds`,
  )
  say('')
  say('| figure | goal | ratio | requests/s | p50 alone, ms | p95 alone, ms | p95 of 16, ms | CPU per request, ms |')
  say('| --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const { scenario, ours, baseline } of figures) {
    const ratio = ours.perSecond / baseline.perSecond
    say(
      `| ${scenario.title} | ${scenario.goal === undefined ? '' : `≥ ${scenario.goal}`} | ${ratio.toFixed(2)} | ${rate(ours.perSecond)} / ${rate(baseline.perSecond)} | ${pair(ours.alone(0.5), baseline.alone(0.5))} | ${pair(ours.alone(0.95), baseline.alone(0.95))} | ${pair(ours.crowded(0.95), baseline.crowded(0.95))} | ${cpu(ours.cpu)} (server ${ms(ours.serverCpu)}) / ${cpu(baseline.cpu)} (server ${ms(baseline.serverCpu)}) |`,
    )
  }
  const promised = figures.filter(({ scenario }) => scenario.most !== undefined)
  if (promised.length > 0) {
    say('')
    say('| figure, one client | p95, ms | goal | times the baseline: p50, p95, CPU | goal |')
    say('| --- | --- | --- | --- | --- |')
  }
  const times = (mine: number, theirs: number) => `${(mine / theirs).toFixed(1)} ×`
  for (const { scenario, ours, baseline } of promised) {
    const { p95, times: most } = scenario.most!
    say(
      `| ${scenario.title} | ${pair(ours.alone(0.95), baseline.alone(0.95))} | ≤ ${p95} | ${times(ours.alone(0.5), baseline.alone(0.5))}, ${times(ours.alone(0.95), baseline.alone(0.95))}, ${times(ours.cpu, baseline.cpu)} | ${most === undefined ? '' : `≤ ${most} ×`} |`,
    )
  }
  const named = (name: string) => figures.find(({ scenario }) => scenario.name === name)
  const [first, deep] = [named('first'), named('deep')]
  if (first && deep) {
    say('')
    say(
      `Deep page against first page, ours: ${(first.ours.perSecond / deep.ours.perSecond).toFixed(2)} × the time (goal ≤ 1.1)`,
    )
  }
  return lines
}
