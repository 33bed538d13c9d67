import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import { normaliseCurrency } from './values.ts'

const productPriced = defineGuard('core.product', ['create', 'update'], (write, ctx) => normaliseCurrency(write, ctx), {
  independent: true,
})

export const productGuards: readonly GuardDefinition[] = [productPriced]
