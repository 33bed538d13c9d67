import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { Database } from '../database/database.ts'
import { permissionDenied } from '../permissions/errors.ts'
import type { EngineScope } from './scope.ts'

const sealEvery = 2_000
const trimEvery = 3_600_000
/** Change sets sealed or looked at in one statement. */
const batch = 1_000

/**
 * Chains committed change sets and lets go of those a workspace keeps no longer.
 *
 * The chain is not made by the write: that would let one writer of a workspace wait for the other. Any number of
 * processes may seal; a lock of the workspace makes them take turns. See decision 0007.
 */
export class LedgerSealer {
  readonly #database: Database
  readonly #clock: Clock
  readonly #log: Logger
  #timers: NodeJS.Timeout[] = []
  #working: Promise<void> | undefined

  constructor({ database, clock, log }: { database: Database; clock: Clock; log: Logger }) {
    this.#database = database
    this.#clock = clock
    this.#log = log
  }

  start(): void {
    const every = (milliseconds: number, work: () => Promise<void>) =>
      setInterval(() => this.#alone(work), milliseconds).unref()
    this.#timers = [every(sealEvery, () => this.sealAll()), every(trimEvery, () => this.trimAll())]
    this.#alone(() => this.trimAll())
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#working
  }

  /** Seals what waits in any workspace, unless another process is at it. */
  async sealAll(): Promise<void> {
    const { rows } = await sql<{ workspace: string }>`
      select workspace from core.ledger_pending group by workspace`.execute(this.#database.owner)
    for (const { workspace } of rows) await this.#seal(workspace, false)
  }

  /** Seals everything committed in one workspace before it answers. */
  async seal(workspace: string): Promise<void> {
    await this.#seal(workspace, true)
  }

  /** Removes what is older than workspaces keep; what is left still hangs on its checkpoint. */
  async trimAll(): Promise<void> {
    const now = this.#clock.now()
    const { rows } = await sql<{ workspace: string; months: number }>`
      select w.id as workspace, w.ledger_months as months from core.workspace w
      where exists (select from core.ledger_seal s where s.workspace = w.id
        and s.at < ${now.toISOString()}::timestamptz - make_interval(months => w.ledger_months))`.execute(
      this.#database.owner,
    )
    for (const { workspace, months } of rows) {
      const before = keptSince(now, months).toISOString()
      const trim = async () =>
        (
          await sql<{ n: number }>`
            select core.trim_ledger(${workspace}::uuid, ${before}::timestamptz, ${batch}) as n`.execute(
            this.#database.owner,
          )
        ).rows[0]?.n ?? 0
      while ((await trim()) === batch);
    }
  }

  async #seal(workspace: string, wait: boolean): Promise<void> {
    for (;;) {
      const { rows } = await sql<{ n: number }>`
        select core.seal_ledger(${workspace}::uuid, ${batch}, ${wait}) as n`.execute(this.#database.owner)
      if ((rows[0]?.n ?? 0) < batch) return
    }
  }

  /** One piece of work at a time; the next tick finds what this one left. */
  #alone(work: () => Promise<void>): void {
    this.#working ??= work()
      .catch((error: unknown) => this.#log.error({ err: error }, 'the ledger could not be sealed'))
      .finally(() => {
        this.#working = undefined
      })
  }
}

/**
 * First instant of which the ledger still knows everything.
 *
 * @param months - how long the workspace keeps it
 */
export function keptSince(now: Date, months: number): Date {
  const since = new Date(now)
  since.setUTCMonth(since.getUTCMonth() - months)
  return since
}

/** What is wrong with the chain, at the first place where it is. */
export type LedgerFault = 'set-missing' | 'set-altered' | 'values-altered' | 'link-broken' | 'not-chained'

export interface LedgerVerification {
  /** Change sets walked, and changes in them. */
  readonly checked: number
  readonly changes: number
  /** Changes whose values an erasure took; their place in the chain is proven all the same. */
  readonly erased: number
  /** Last link. Kept outside of this installation, it proves later that nothing was cut off the end. */
  readonly head: { readonly position: number; readonly hash: string; readonly at: string } | null
  /** Where the walk began, when older sets are past the time they are kept. */
  readonly checkpoint: { readonly position: number; readonly hash: string; readonly until: string } | null
  /** Sets of work in progress, not in the chain yet. */
  readonly waiting: number
  readonly fault: {
    readonly kind: LedgerFault
    readonly position: number | null
    readonly changeSet: string
    readonly detail: string
  } | null
}

interface Link {
  readonly place: number
  readonly change_set: string
  readonly is_there: boolean
  readonly is_linked: boolean
  readonly is_intact: boolean
  readonly values_kept: boolean
  readonly changes: number
  readonly erased: number
  readonly hash: Buffer
  readonly at: string
}

/** Walks the whole chain anew, for holders of `core.audit.read`. */
export async function verifyLedger({ ctx, tx }: EngineScope): Promise<LedgerVerification> {
  if (!ctx.authority.may('core.audit.read')) throw permissionDenied({ permission: 'core.audit.read' })
  const workspace = ctx.workspace.id
  const { rows: checkpoints } = await sql<{ position: number; hash: Buffer; until: string }>`
    select position, hash, until from core.ledger_checkpoint where workspace = ${workspace}::uuid`.execute(tx)
  const [checkpoint] = checkpoints
  const total = { checked: 0, changes: 0, erased: 0 }
  let head: Link | undefined
  let fault: LedgerVerification['fault'] = null
  const found = (kind: LedgerFault, changeSet: string, position: number | null) => ({
    kind,
    position,
    changeSet,
    detail: ctx.t(`core.ledger.fault.${kind}`, { changeSet, position: position ?? 0 }),
  })
  for (let after = checkpoint?.position ?? 0; !fault;) {
    const { rows } = await sql<Link>`
      select * from core.verify_ledger(${workspace}::uuid, ${after}::bigint, ${batch})`.execute(tx)
    for (const link of rows) {
      const kind = faultOf(link)
      if (kind) {
        fault = found(kind, link.change_set, link.place)
        break
      }
      total.checked += 1
      total.changes += link.changes
      total.erased += link.erased
      head = link
    }
    after = rows.at(-1)?.place ?? after
    if (rows.length < batch) break
  }
  const { rows: loose } = await sql<{ waiting: number; loose: string | null }>`
    select (select count(*) from core.ledger_pending where workspace = ${workspace}::uuid) as waiting,
      (select s.id from core.change_set s where s.workspace = ${workspace}::uuid
        and not exists (select from core.ledger_seal l where l.workspace = s.workspace and l.change_set = s.id)
        and not exists (select from core.ledger_pending p where p.workspace = s.workspace and p.change_set = s.id)
        limit 1) as loose`.execute(tx)
  if (!fault && loose[0]?.loose) fault = found('not-chained', loose[0].loose, null)
  return {
    ...total,
    head: head ? { position: head.place, hash: hex(head.hash), at: head.at } : null,
    checkpoint: checkpoint ? { ...checkpoint, hash: hex(checkpoint.hash) } : null,
    waiting: loose[0]?.waiting ?? 0,
    fault,
  }
}

function faultOf(link: Link): LedgerFault | undefined {
  if (!link.is_there) return 'set-missing'
  if (!link.values_kept) return 'values-altered'
  if (!link.is_intact) return 'set-altered'
  return link.is_linked ? undefined : 'link-broken'
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
