import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { defineGuard, type GuardDefinition, type GuardedWrite } from '../records/define-resource.ts'
import { leadAlreadyConverted, leadNeedsConversion, nameMissing, refuseValue } from './errors.ts'
import { leadTransitions } from './lead.ts'
import { unconverted } from './lead-conversion.ts'
import { guardStates } from './states.ts'
import { normaliseCountry, normaliseEmail, normalisePhone, personName, textOf } from './values.ts'

const leadNamed = defineGuard(
  'core.lead',
  ['create', 'update'],
  (write, ctx) => {
    const { record, set } = write
    normaliseCountry(write)
    normaliseEmail(write)
    normalisePhone(write, 'phone', ctx)
    const name = personName(record, 'companyName', 'email')
    if (name === undefined)
      throw refuseValue('/lastName', nameMissing, { fields: 'firstName, lastName, companyName, email' })
    set('name', name)
  },
  { independent: true },
)

/** `convertedAt` is set by the conversion and taken back by its reversal only, so it tells them from a typed status. */
const leadConverts = defineGuard(
  'core.lead',
  ['create', 'update'],
  async (write, ctx) => {
    const { before, record } = write
    if (ctx.cause.undoOf !== undefined && write.changed.has('status')) await followUndo(write, ctx)
    const converted = textOf(record['convertedAt']) !== undefined
    if (record['status'] === 'converted' && !converted)
      throw leadNeedsConversion({ name: ctx.records.nameOf('core.lead', record) })
    if (record['status'] !== 'converted' && converted) {
      const { account, contact } = ctx.records.told('core.lead', before ?? {})
      throw leadAlreadyConverted({ name: ctx.records.nameOf('core.lead', record) }, { account, contact })
    }
  },
  { independent: true },
)

/** An undo brings the status back; what goes with it is brought back here. */
async function followUndo({ record, set }: GuardedWrite, ctx: Context): Promise<void> {
  if (record['status'] !== 'converted') {
    for (const [field, value] of Object.entries(unconverted)) set(field, value)
    return
  }
  const { rows } = await sql<{ became: Readonly<Record<string, string | null>> }>`
    select became from core.lead_conversion
    where workspace = ${ctx.workspace.id}::uuid and lead_id = ${record.id}::uuid`.execute(ctx.sql)
  const [conversion] = rows
  if (!conversion) return
  for (const [field, value] of Object.entries(conversion.became)) set(field, value)
  set('convertedAt', ctx.clock.now().toISOString())
}

/** What the conversion passes through is said once: a lead that converts is qualified. */
const states = guardStates('core.lead', {
  field: 'status',
  transitions: {
    ...leadTransitions,
    new: [...leadTransitions.new, 'converted'],
    working: [...leadTransitions.working, 'converted'],
    nurturing: [...leadTransitions.nurturing, 'converted'],
  },
})

export const leadGuards: readonly GuardDefinition[] = [leadNamed, leadConverts, states]
