import type { DuplicateStrictness, Locale, WorkspaceLabels } from '../actor.ts'
import type { Context } from '../context.ts'
import type { RecordJson, Records } from '../records/records.ts'
import { workspaces } from './resources.ts'

export interface WorkspaceChange {
  readonly name?: string
  readonly locale?: Locale
  readonly zone?: string
  readonly baseCurrency?: string
  readonly fiscalMonth?: number
  readonly ledgerMonths?: number
  readonly eventDays?: number
  readonly labels?: WorkspaceLabels
  readonly secondFactor?: 'optional' | 'required'
  readonly duplicateStrictness?: DuplicateStrictness
}

/** The settings of the workspace one works in. */
export class WorkspaceService {
  readonly #ctx: Context
  readonly #records: Records

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.#records = ctx.asSystem().records
  }

  async get(): Promise<RecordJson> {
    return (await this.#records.get(workspaces, this.#ctx.workspace.id)).data
  }

  /** @throws `VERSION_CONFLICT` (409) when somebody else changed the same setting since `version` */
  async change(change: WorkspaceChange, version?: number): Promise<RecordJson> {
    const before = await this.get()
    const target = { id: before.id, version: version ?? before.version }
    await this.#records.update(workspaces, target, { ...change })
    return this.get()
  }
}
