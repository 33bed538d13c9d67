import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import { leadAlreadyConverted, leadNeedsConversion, nameMissing, refuseValue } from './errors.ts'
import { leadTransitions } from './lead.ts'
import { guardStates } from './states.ts'
import { normaliseCountry, normaliseEmail, normalisePhone, personName } from './values.ts'

const leadNamed = defineGuard('core.lead', ['create', 'update'], (write, ctx) => {
  const { record, set } = write
  normaliseCountry(write, ctx)
  normaliseEmail(write)
  normalisePhone(write, 'phone', ctx)
  const name = personName(record, 'companyName', 'email')
  if (name === undefined)
    throw refuseValue(ctx, '/lastName', nameMissing, { fields: 'firstName, lastName, companyName, email' })
  set('name', name)
})

/** `convertedAt` is set by the conversion and taken back by its reversal only, so it tells them from a typed status. */
const leadConverts = defineGuard('core.lead', ['create', 'update'], ({ before, record }) => {
  const name = String(record['name'])
  const converted = record['convertedAt'] !== undefined && record['convertedAt'] !== null
  if (record['status'] === 'converted' && !converted) throw leadNeedsConversion({ name })
  if (record['status'] !== 'converted' && converted)
    throw leadAlreadyConverted({ name }, { account: before?.['account'], contact: before?.['contact'] })
})

/** What the conversion passes through is said once: a lead that converts is qualified. */
const states = guardStates('core.lead', {
  field: 'status',
  transitions: {
    ...leadTransitions,
    new: [...leadTransitions.new, 'converted'],
    working: [...leadTransitions.working, 'converted'],
    nurturing: [...leadTransitions.nurturing, 'converted'],
  },
  noun: 'Lead',
  title: 'name',
})

export const leadGuards: readonly GuardDefinition[] = [leadNamed, leadConverts, states]
