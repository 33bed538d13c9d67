import { z } from 'zod'
import type { Context } from '../context.ts'
import { defineEvent } from '../events/event.ts'
import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import type { RecordJson } from '../records/records.ts'
import { isUuid } from '../records/values.ts'
import { activityTransitions } from './activity.ts'
import { referenceIncomplete, referenceUnknown, refuseValue, resourceUnknown } from './errors.ts'
import { accounts, contacts } from './resources.ts'
import { guardStates } from './states.ts'
import { found, refusePeriod, textOf } from './values.ts'

export const ActivityCompleted = defineEvent('core.activity.completed', {
  version: 1,
  payload: z.object({
    activity: z.uuid(),
    type: z.string(),
    outcome: z.string().nullable(),
    account: z.uuid().nullable(),
    contact: z.uuid().nullable(),
    lead: z.uuid().nullable(),
    record: z.object({ resource: z.string(), id: z.uuid() }).nullable(),
  }),
})

const activityTimes = defineGuard(
  'core.activity',
  ['create', 'update'],
  ({ action, record, set }, ctx) => {
    const start = textOf(record['startAt'])
    const end = textOf(record['endAt'])
    if (start !== undefined && end !== undefined && Date.parse(end) < Date.parse(start)) {
      throw refusePeriod(ctx, 'core.activity', record, ['startAt', 'endAt'])
    }
    // A note, or a mail that is not planned for a day, is logged after the fact.
    const logged =
      record['type'] === 'note' ||
      (record['type'] === 'mail' && start === undefined && textOf(record['dueAt']) === undefined)
    if (action === 'create' && logged && record['status'] === 'planned') set('status', 'done')
    const done = record['status'] === 'done'
    if (done === (textOf(record['completedAt']) !== undefined)) return
    set('completedAt', done ? ctx.clock.now().toISOString() : null)
  },
  { independent: true },
)

/** What an activity is about says more than was typed: a contact's account, an opportunity's account and contact. */
const activityPlaced = defineGuard(
  'core.activity',
  ['create', 'update'],
  async ({ record, changed, set }, ctx) => {
    const resource = textOf(record['resource'])
    const id = textOf(record['record'])
    if ((resource === undefined) !== (id === undefined)) {
      const [given, missing] = resource === undefined ? ['record', 'resource'] : ['resource', 'record']
      throw refuseValue(`/${missing}`, referenceIncomplete, { given, missing })
    }
    if (resource !== undefined && id !== undefined && (changed.has('record') || changed.has('resource'))) {
      const about = await recordAbout(ctx, resource, id)
      for (const [field, target] of [
        ['account', accounts],
        ['contact', contacts],
      ] as const) {
        if (!record[field] && (await isVisible(ctx, target, about[field]))) set(field, about[field])
      }
    }
    if (!record['account'] && isUuid(record['contact']) && changed.has('contact')) {
      const contact = await found(ctx, contacts, record['contact'])
      if (await isVisible(ctx, accounts, contact?.['account'])) set('account', contact?.['account'])
    }
  },
  { independent: true },
)

async function recordAbout(ctx: Context, resource: string, id: string): Promise<RecordJson> {
  const record = isUuid(id) ? await found(ctx, resource, id).catch(unknownResource(ctx, resource)) : undefined
  if (!record) throw refuseValue('/record', referenceUnknown, { resource, id })
  return record
}

/** The engine takes an undeclared resource for a fault of code; here it was typed. */
function unknownResource(ctx: Context, resource: string) {
  return (error: unknown): never => {
    const undeclared = error instanceof Error && error.message.includes(`declares the resource ${resource}`)
    throw undeclared ? refuseValue('/resource', resourceUnknown, { value: resource }) : error
  }
}

async function isVisible(ctx: Context, resource: typeof accounts | typeof contacts, id: unknown): Promise<boolean> {
  return isUuid(id) && (await found(ctx, resource, id)) !== undefined
}

const activityCompletes = defineGuard(
  'core.activity',
  ['create', 'update'],
  ({ record, changed }, ctx) => {
    if (record['status'] !== 'done' || !changed.has('completedAt')) return
    const id = textOf(record['record'])
    ctx.emit(
      ActivityCompleted,
      {
        activity: record.id,
        type: String(record['type']),
        outcome: textOf(record['outcome']) ?? null,
        account: textOf(record['account']) ?? null,
        contact: textOf(record['contact']) ?? null,
        lead: textOf(record['lead']) ?? null,
        record: id === undefined ? null : { resource: String(record['resource']), id },
      },
      { key: record.id },
    )
  },
  { independent: true },
)

export const activityGuards: readonly GuardDefinition[] = [
  guardStates('core.activity', { field: 'status', transitions: activityTransitions }),
  activityTimes,
  activityPlaced,
  activityCompletes,
]
