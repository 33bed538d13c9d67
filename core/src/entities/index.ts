import { provide } from '../plugins/define-plugin.ts'
import { DuplicateKeys } from '../records/duplicates/duplicate-key.ts'
import type { LinkTable } from '../records/merge/link-table.ts'
import { AccountContactSchema } from './account-contact.ts'
import { accountGuards } from './account-guards.ts'
import { AccountSchema } from './account.ts'
import { ActivityCompleted, activityGuards } from './activity-guards.ts'
import { ActivitySchema } from './activity.ts'
import { contactGuards, contactSubscribers } from './contact-guards.ts'
import { ContactSchema } from './contact.ts'
import { invoiceGuards } from './invoice-guards.ts'
import { InvoiceLineSchema } from './invoice-line.ts'
import { InvoiceSchema } from './invoice.ts'
import { LeadConverted, LeadReverted, LeadTargets } from './lead-conversion.ts'
import { KnownAccounts, KnownAccountsService, KnownSources } from './known-accounts.ts'
import { KnownQuestionSchema } from './known-question.ts'
import { leadGuards } from './lead-guards.ts'
import { LeadSchema } from './lead.ts'
import { LifecycleChanged, Lifecycles, LifecycleService } from './lifecycle.ts'
import { orderGuards } from './order-guards.ts'
import { OrderLineSchema } from './order-line.ts'
import { OrderSchema } from './order.ts'
import { PaymentSchema } from './payment.ts'
import { productGuards } from './product-guards.ts'
import { ProductSchema } from './product.ts'

// The shared customer base, as the core's own plugin value lists it.

export const sharedEntities = [
  AccountSchema,
  ContactSchema,
  AccountContactSchema,
  LeadSchema,
  ActivitySchema,
  ProductSchema,
  OrderSchema,
  OrderLineSchema,
  InvoiceSchema,
  InvoiceLineSchema,
  PaymentSchema,
  KnownQuestionSchema,
]

export const sharedGuards = [
  ...accountGuards,
  ...contactGuards,
  ...leadGuards,
  ...activityGuards,
  ...productGuards,
  ...orderGuards,
  ...invoiceGuards,
]

export const sharedSubscribers = contactSubscribers

export const sharedEvents = [LifecycleChanged, LeadConverted, LeadReverted, ActivityCompleted]

export const sharedProvides = [
  provide(Lifecycles, (ctx) => new LifecycleService(ctx)),
  provide(KnownAccounts, (ctx) => new KnownAccountsService(ctx)),
]

export const sharedLinks: readonly LinkTable[] = [
  { place: 'core.lifecycle_change.account_id', target: 'core.account', moves: { key: ['id'] } },
  {
    place: 'core.lead_conversion.lead_id',
    target: 'core.lead',
    stays: 'A conversion is taken back with its own lead.',
  },
  { place: 'core.activity_link.activity_id', target: 'core.activity', stays: 'The activity’s own references make it.' },
  { place: 'core.activity_link.record', stays: 'The activity’s own references make it.' },
]

export const sharedPoints = [LeadTargets, DuplicateKeys, KnownSources]

export { sharedDemo } from './demo.ts'
export { sharedResources } from './resources.ts'
export { sharedRoutes } from './routes.ts'
