import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import { documentGuards } from './document-guards.ts'
import { orderDocument } from './documents.ts'
import { orderTransitions } from './order.ts'
import { guardStates } from './states.ts'
import { textOf } from './values.ts'

const orderDated = defineGuard('core.order', ['create', 'update'], ({ record, set }, ctx) => {
  if (record['status'] !== 'draft' && textOf(record['orderedOn']) === undefined) set('orderedOn', ctx.clock.today())
})

export const orderGuards: readonly GuardDefinition[] = [
  guardStates('core.order', { field: 'status', transitions: orderTransitions }),
  orderDated,
  ...documentGuards(orderDocument, ['draft', 'confirmed', 'in_fulfilment']),
]
