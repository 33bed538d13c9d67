import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { GuardedWrite, GuardDefinition } from '../records/define-resource.ts'
import { defineGuard } from '../records/define-resource.ts'
import { isUuid } from '../records/values.ts'
import { headBeingPlaced, lockHead, priceLine, toldHead, type DocumentHead, type DocumentKind } from './documents.ts'
import { currencyInUse, lineMoved, linesClosed } from './errors.ts'
import { totalsOf, type PricedLine } from './totals.ts'
import { normaliseCurrency, toldText } from './values.ts'

const pricing: readonly (keyof PricedLine)[] = ['quantity', 'unitPrice', 'discount', 'taxRate']

/**
 * Guards of an order or invoice and its lines: a line's net follows from its price, the header's sums from its lines.
 *
 * @param open - states of the header in which its lines may change
 */
export function documentGuards(kind: DocumentKind, open: readonly string[]): readonly GuardDefinition[] {
  const header = `core.${kind.reference}`
  return [
    defineGuard(header, ['create', 'update'], async (write, ctx) => {
      normaliseCurrency(write, ctx)
      const { before, record } = write
      if (!before || before['currency'] === record['currency']) return
      if ((await otherLines(ctx, kind, record.id, undefined)).length > 0) {
        throw currencyInUse({
          number: ctx.records.nameOf(header, record),
          currency: toldText(ctx, header, before, 'currency'),
        })
      }
    }),
    defineGuard(`${header}-line`, ['create', 'update', 'delete', 'restore'], async (write, ctx) => {
      const id = write.record[kind.reference]
      // Without a header there is nothing to add up to; the write path says which reference is missing.
      if (!isUuid(id)) return
      // Document and lines go together, closed or not: nobody ever received them.
      if (write.action === 'delete' && isDemoLeaving(ctx)) return
      if (write.before && write.before[kind.reference] !== id)
        throw lineMoved({ line: ctx.records.nameOf(`${header}-line`, write.before) })
      const placed = headBeingPlaced(ctx, id)
      const head = placed ?? (await lockHead(ctx, kind, id))
      if (!head) return
      if (!placed && !open.includes(head.status)) throw linesClosed(await toldHead(ctx, kind, head))
      if (write.action === 'create' || write.action === 'update') await setPrice(write, ctx, head)
      if (!placed) await addUp(write, ctx, kind, head)
    }),
  ]
}

/** The demonstration is being taken away. */
export function isDemoLeaving({ cause }: Context): boolean {
  return cause.origin === 'demo' && cause.undoOf !== undefined
}

async function setPrice({ record, set }: GuardedWrite, ctx: Context, head: DocumentHead): Promise<void> {
  set('currency', head.currency)
  const { net, name, unit, ...priced } = await priceLine(ctx, record, head.currency)
  set('net', net)
  set('name', name)
  set('unit', unit)
  for (const field of pricing) set(field, priced[field])
}

async function addUp(
  { action, record }: GuardedWrite,
  ctx: Context,
  kind: DocumentKind,
  head: DocumentHead,
): Promise<void> {
  const lines = await otherLines(ctx, kind, head.id, record.id)
  if (action !== 'delete') lines.push({ net: String(record['net']), taxRate: String(record['taxRate']) })
  const totals = totalsOf(lines, head.currency)
  await ctx.records.update(kind.header, head, { ...totals }, { internal: true })
}

async function otherLines(
  ctx: Context,
  kind: DocumentKind,
  head: string,
  but: string | undefined,
): Promise<{ net: string; taxRate: string }[]> {
  const { rows } = await sql<{ net: string; taxRate: string }>`
    select net, tax_rate as "taxRate" from ${sql.table(kind.lineTable)}
    where workspace = ${ctx.workspace.id}::uuid and ${sql.ref(`${kind.reference}_id`)} = ${head}::uuid
      and id is distinct from ${but ?? null}::uuid and deleted_at is null`.execute(ctx.sql)
  return rows
}
