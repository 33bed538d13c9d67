import { sql } from 'kysely'
import { tableOf } from '../../records/past.ts'
import type { Resource } from '../../records/registry.ts'
import type { EngineScope } from '../../records/scope.ts'
import type { Condition } from './question.ts'

/** Conditions gathered to be asked of one row in one statement, and answered by the number each was given. */
export class Truths {
  readonly #conditions: Condition[] = []
  #answers: readonly boolean[] = []

  /** @returns what says, once `ask` is done, whether it holds */
  of(condition: Condition): () => boolean {
    const at = this.#conditions.push(condition) - 1
    return () => this.#answers[at] === true
  }

  /** @returns whether the row is there */
  async ask(scope: EngineScope, resource: Resource, record: string): Promise<boolean> {
    if (this.#conditions.length === 0) return true
    const { rows } = await sql<{ holds: boolean[] }>`
      select jsonb_build_array(${sql.join(chunks(this.#conditions).map((some) => sql`array[${sql.join(some)}]`))}) as holds
      from ${tableOf(resource, 't')}
      where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = ${record}::uuid`.execute(scope.tx)
    this.#answers = rows[0]?.holds.flat() ?? []
    return rows.length > 0
  }
}

// No function takes more than a hundred arguments.
function chunks<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / 100) }, (_, at) => all.slice(at * 100, at * 100 + 100))
}
