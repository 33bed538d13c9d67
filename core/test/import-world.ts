import { deepEqual, equal } from 'node:assert/strict'
import type { ImportJson } from '../src/records/import/import.ts'
import type { TestAnswer, TestClient } from '../src/testing/index.ts'

/** Speaks to `/api/core/imports` as a person at the wizard does: upload, choose, rehearse, run. */
export class Importing {
  readonly #client: TestClient
  readonly #work: () => Promise<void>

  /** @param work - runs what the platform does in the background */
  constructor(client: TestClient, work: () => Promise<void>) {
    this.#client = client
    this.#work = work
  }

  send(resource: string, content: string | Uint8Array, name = 'file.csv'): Promise<TestAnswer> {
    const form = new FormData()
    form.set('resource', resource)
    form.set('file', new File([typeof content === 'string' ? content : new Uint8Array(content)], name))
    return this.#client.post('/api/core/imports', form)
  }

  async upload(resource: string, content: string | Uint8Array, name?: string): Promise<ImportJson> {
    return answered(await this.send(resource, content, name), 201)
  }

  async change(id: string, change: Readonly<Record<string, unknown>>): Promise<ImportJson> {
    return answered(await this.#client.patch(`/api/core/imports/${id}`, change), 200)
  }

  async get(id: string): Promise<ImportJson> {
    return answered(await this.#client.get(`/api/core/imports/${id}`), 200)
  }

  async rehearse(id: string): Promise<ImportJson> {
    answered(await this.#client.post(`/api/core/imports/${id}/rehearse`), 202)
    return this.settled(id)
  }

  async run(id: string): Promise<ImportJson> {
    answered(await this.#client.post(`/api/core/imports/${id}/run`), 202)
    return this.settled(id)
  }

  /** Rehearses, runs, and demands that the one came to what the other said. */
  async through(id: string): Promise<ImportJson> {
    const rehearsed = await this.rehearse(id)
    equal(rehearsed.problem, undefined)
    equal(rehearsed.state, 'rehearsed')
    const done = await this.run(id)
    equal(done.problem, undefined)
    equal(done.state, 'done')
    deepEqual(done.counts, rehearsed.counts)
    deepEqual(done.sample, rehearsed.sample)
    equal(done.digest.applied, rehearsed.digest.rehearsed)
    equal(await this.diff(id, 'run'), await this.diff(id, 'rehearsal'))
    return done
  }

  /** What every line comes to, as it is fetched. */
  async diff(id: string, phase: 'rehearsal' | 'run'): Promise<string> {
    const response = await this.#client.raw('GET', `/api/core/imports/${id}/diff.ndjson?phase=${phase}`)
    equal(response.status, 200)
    return response.text()
  }

  async rollBack(id: string): Promise<ImportJson> {
    answered(await this.#client.post(`/api/core/imports/${id}/rollback`), 202)
    return this.settled(id)
  }

  /** Refused lines: their number with field and code of each problem. */
  async refused(id: string): Promise<Record<number, string[]>> {
    const { body } = await this.#client.get(`/api/core/imports/${id}/rows?state=failed`)
    return Object.fromEntries(
      body.data.map((row: { line: number; problems: { field: string; code: string }[] }) => [
        row.line,
        row.problems.map(({ field, code }) => `${field} ${code}`.trim()),
      ]),
    )
  }

  /** The import once nothing works on it any more. */
  async settled(id: string): Promise<ImportJson> {
    await this.#work()
    // Each look counts the lines there are: of a large file it is to be asked seldom.
    for (let wait = 20; ; wait = Math.min(wait * 1.5, 2_000)) {
      const now = await this.get(id)
      if (!['rehearsing', 'running', 'rolling_back'].includes(now.state)) return now
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
}

function answered(answer: TestAnswer, status: number): ImportJson {
  equal(answer.status, status, JSON.stringify(answer.body))
  return answer.body.data
}

/** Changes what somebody made by `as` may do, as an administrator does. */
export async function grant(admin: TestClient, to: TestClient, role: Readonly<Record<string, unknown>>): Promise<void> {
  const { body } = await admin.get('/api/core/roles?limit=200')
  const { id } = body.data.find(({ name }: { name: string }) => name === `Role of ${to.who.actor.id}`)
  const { status } = await admin.patch(`/api/core/roles/${id}`, role)
  equal(status, 200)
}
