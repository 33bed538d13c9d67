import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { defineGuard, type GuardedWrite, type GuardDefinition } from '../records/define-resource.ts'
import { isUuid } from '../records/values.ts'
import {
  cycleRefused,
  hierarchyTooDeep,
  refuseValue,
  sirenInvalid,
  siretInvalid,
  siretOfOtherSiren,
  vatNumberInvalid,
} from './errors.ts'
import { compact, domainOf, isSiren, isSiret, isVatNumber } from './identifiers.ts'
import { lifecycleGuard } from './lifecycle.ts'
import { accounts } from './resources.ts'
import { found, normaliseCountry, normaliseEmail, normalisePhone, textOf, toldText } from './values.ts'

const maxLevels = 10

const accountReachable = defineGuard(
  'core.account',
  ['create', 'update'],
  (write, ctx) => {
    normaliseCountry(write)
    normaliseEmail(write)
    normalisePhone(write, 'phone', ctx)
    const { record, changed, set } = write
    const website = textOf(record['website'])
    const domain = textOf(record['domain'])
    // Somebody's own choice of domain stays, such as the one their mail comes from.
    if (website !== undefined && domain === undefined && changed.has('website'))
      set('domain', domainOf(website) ?? null)
    else if (domain !== undefined && changed.has('domain')) set('domain', domainOf(domain) ?? domain.toLowerCase())
  },
  { independent: true },
)

const accountIdentified = defineGuard(
  'core.account',
  ['create', 'update'],
  ({ record, changed, set }, ctx) => {
    const siret = checked(ctx, record['siret'], 'siret', isSiret, siretInvalid)
    const siren = checked(ctx, record['siren'], 'siren', isSiren, sirenInvalid)
    const vatNumber = checked(ctx, record['vatNumber'], 'vatNumber', isVatNumber, vatNumberInvalid)
    if (siret !== undefined && changed.has('siret')) set('siret', siret)
    if (siren !== undefined && changed.has('siren')) set('siren', siren)
    if (vatNumber !== undefined && changed.has('vatNumber')) set('vatNumber', vatNumber)
    if (siret === undefined) return
    if (siren === undefined) return set('siren', siret.slice(0, 9))
    if (!siret.startsWith(siren)) {
      const numbers = { siret, siren }
      throw refuseValue('/siret', siretOfOtherSiren, {
        siret: toldText(ctx, accounts, numbers, 'siret'),
        siren: toldText(ctx, accounts, numbers, 'siren'),
      })
    }
  },
  { independent: true },
)

function checked(
  ctx: Context,
  value: unknown,
  field: string,
  isRight: (compacted: string) => boolean,
  refusal: typeof sirenInvalid,
): string | undefined {
  const typed = textOf(value)
  if (typed === undefined) return undefined
  const compacted = compact(typed)
  if (!isRight(compacted))
    throw refuseValue(`/${field}`, refusal, { value: toldText(ctx, accounts, { [field]: typed }, field) })
  return compacted
}

/** Answers in words before the trigger would; the trigger alone sees two moves in the same second. */
const accountTree = defineGuard(
  'core.account',
  ['create', 'update'],
  async (write: GuardedWrite, ctx: Context) => {
    const { record, changed } = write
    const parent = record['parent']
    if (!changed.has('parent') || !isUuid(parent)) return
    const { rows } = await sql<{ cycle: boolean; levels: number }>`
    select t.cycle, t.levels from core.account_tree(${ctx.workspace.id}::uuid, ${record.id}::uuid, ${parent}::uuid) t`.execute(
      ctx.sql,
    )
    const account = ctx.records.nameOf(accounts, record)
    const [tree] = rows
    if (tree?.cycle)
      throw cycleRefused({
        of: 'account',
        account,
        parent: ctx.records.nameOf(accounts, (await found(ctx, accounts, parent)) ?? {}),
      })
    if (tree && tree.levels > maxLevels) throw hierarchyTooDeep({ account, levels: tree.levels })
  },
  { independent: true },
)

export const accountGuards: readonly GuardDefinition[] = [
  accountReachable,
  accountIdentified,
  accountTree,
  lifecycleGuard,
]
