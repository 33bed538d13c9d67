import { defineResource, type FieldDefinition } from '../records/define-resource.ts'
import type { FieldOption } from '../records/model.ts'
import { Account } from './account.ts'
import { AccountContact } from './account-contact.ts'
import { Activity } from './activity.ts'
import { Contact } from './contact.ts'
import { Invoice } from './invoice.ts'
import { knownQuestions } from './known-question.ts'
import { InvoiceLine } from './invoice-line.ts'
import { Lead } from './lead.ts'
import { Order } from './order.ts'
import { OrderLine } from './order-line.ts'
import { Payment } from './payment.ts'
import { Product } from './product.ts'

/** Where a record came from, the same five everywhere. */
const channels: FieldDefinition = { format: 'select', options: ['direct', 'partner', 'web', 'import', 'api'] }
const derived: FieldDefinition = { readonly: true }
const sum: FieldDefinition = { format: 'money', currency: 'currency', readonly: true }

export const lifecycles: readonly FieldOption[] = [
  { value: 'suspect', tone: 'neutral', icon: 'circle-dashed' },
  { value: 'prospect', tone: 'info', icon: 'circle-dot' },
  { value: 'client', tone: 'success', icon: 'circle-check' },
  { value: 'former', tone: 'warning', icon: 'circle-slash' },
]

export const accounts = defineResource(Account, {
  path: 'accounts',
  title: 'name',
  icon: 'building-2',
  key: 'a',
  fields: {
    kind: {
      format: 'select',
      options: [
        { value: 'organisation', icon: 'building-2' },
        { value: 'person', icon: 'user-round' },
      ],
    },
    lifecycle: { format: 'select', options: lifecycles },
    website: { format: 'url' },
    domain: { derivedFrom: ['website'] },
    siret: { derivedFrom: ['siren'] },
    vatNumber: { derivedFrom: ['siren'] },
    employees: { min: 0 },
    annualRevenue: { format: 'money' },
    foundedYear: { min: 1000, max: 2999, plain: true },
    sourceChannel: channels,
    phone: { format: 'phone' },
    phoneNorm: { format: 'phone', readonly: true, derivedFrom: ['phone'] },
    email: { format: 'email' },
    lastActivityAt: derived,
    nextActivityAt: derived,
  },
  list: ['name', 'lifecycle', 'industry', 'city', 'phone', 'lastActivityAt', 'nextActivityAt', 'owner'],
  form: [
    'name',
    'kind',
    'lifecycle',
    'legalName',
    'code',
    'parent',
    'website',
    'domain',
    'phone',
    'email',
    'addressLine1',
    'addressLine2',
    'postalCode',
    'city',
    'country',
    'siren',
    'siret',
    'vatNumber',
    'industry',
    'employees',
    'annualRevenue',
    'foundedYear',
    'source',
    'sourceChannel',
    'doNotContact',
    'owner',
    'team',
  ],
  search: [
    'name',
    'legalName',
    'code',
    'domain',
    'siren',
    'siret',
    'email',
    'phone',
    'phoneNorm',
    'city',
    'postalCode',
  ],
  kanban: { by: 'lifecycle', sum: 'annualRevenue', card: ['name', 'city', 'industry', 'nextActivityAt', 'owner'] },
  timeline: true,
  sort: 'name',
  keys: ['code', 'siren', 'domain', 'name'],
  duplicates: [
    { kind: 'siren', fields: ['siren', 'siret'], weight: 95 },
    { kind: 'vatNumber', fields: ['vatNumber'], as: 'identifier', weight: 95 },
    { kind: 'name', fields: ['name', 'legalName'], weight: 70 },
    { kind: 'email', fields: ['email'], weight: 60 },
    { kind: 'phone', fields: ['phone'], weight: 50 },
    { kind: 'domain', fields: ['domain', 'website'], weight: 50 },
    { kind: 'city', fields: ['city'], as: 'folded', weight: 15, supports: true },
  ],
})

export const contacts = defineResource(Contact, {
  path: 'contacts',
  title: 'name',
  icon: 'contact-round',
  key: 'c',
  fields: {
    name: { readonly: true, derivedFrom: ['firstName', 'lastName'] },
    email: { format: 'email' },
    phone: { format: 'phone' },
    phoneNorm: { format: 'phone', readonly: true, derivedFrom: ['phone'] },
    mobile: { format: 'phone' },
    mobileNorm: { format: 'phone', readonly: true, derivedFrom: ['mobile'] },
    language: { format: 'select', options: ['fr', 'en'] },
    sourceChannel: channels,
  },
  list: ['name', 'account', 'jobTitle', 'email', 'phone', 'mobile', 'owner'],
  form: [
    'firstName',
    'lastName',
    'account',
    'jobTitle',
    'email',
    'phone',
    'mobile',
    'language',
    'birthDate',
    'reportsTo',
    'source',
    'sourceChannel',
    'doNotCall',
    'doNotMail',
    'owner',
    'team',
  ],
  search: ['name', 'email', 'phone', 'phoneNorm', 'mobile', 'mobileNorm', 'jobTitle', 'account.name'],
  timeline: true,
  sort: 'name',
  keys: ['email', 'name'],
  duplicates: [
    { kind: 'email', fields: ['email'], weight: 90 },
    { kind: 'phone', fields: ['phone', 'mobile'], weight: 60 },
    // Namesakes are many: a name alone says too little.
    { kind: 'name', fields: [['firstName', 'lastName']], weight: 45 },
    { kind: 'account', fields: ['account'], weight: 25, supports: true },
  ],
})

export const accountContacts = defineResource(AccountContact, {
  path: 'account-contacts',
  title: 'role',
  icon: 'link',
  fields: { contact: { personal: true } },
  list: ['account', 'contact', 'role', 'primary', 'decisionMaker', 'from', 'to'],
  nav: false,
})

export const leads = defineResource(Lead, {
  path: 'leads',
  title: 'name',
  icon: 'user-plus',
  key: 'l',
  fields: {
    name: { readonly: true, derivedFrom: ['firstName', 'lastName', 'companyName'] },
    email: { format: 'email' },
    phone: { format: 'phone' },
    phoneNorm: { format: 'phone', readonly: true, derivedFrom: ['phone'] },
    sourceChannel: channels,
    need: { format: 'long' },
    budget: { format: 'money' },
    status: {
      format: 'select',
      options: [
        { value: 'new', tone: 'accent', icon: 'sparkles' },
        { value: 'working', tone: 'info', icon: 'circle-dot' },
        { value: 'nurturing', tone: 'neutral', icon: 'clock' },
        { value: 'qualified', tone: 'warning', icon: 'star' },
        { value: 'converted', tone: 'success', icon: 'circle-check' },
        { value: 'unqualified', tone: 'danger', icon: 'circle-x' },
      ],
    },
    convertedAt: derived,
    account: derived,
    contact: derived,
    targetResource: derived,
    targetRecord: { format: 'text', readonly: true, targetIn: 'targetResource' },
  },
  list: ['name', 'companyName', 'status', 'source', 'budget', 'email', 'phone', 'owner', 'createdAt'],
  form: [
    'firstName',
    'lastName',
    'companyName',
    'jobTitle',
    'email',
    'phone',
    'city',
    'country',
    'status',
    'reason',
    'source',
    'sourceChannel',
    'need',
    'budget',
    'firstResponseDue',
    'owner',
    'team',
  ],
  search: ['name', 'companyName', 'email', 'phone', 'phoneNorm', 'city'],
  kanban: { by: 'status', sum: 'budget', card: ['name', 'companyName', 'budget', 'source', 'owner'] },
  timeline: true,
  keys: ['email', 'name'],
  duplicates: [
    { kind: 'email', fields: ['email'], weight: 90 },
    { kind: 'phone', fields: ['phone'], weight: 60 },
    { kind: 'name', fields: [['firstName', 'lastName']], weight: 45 },
    { kind: 'company', fields: ['companyName'], as: 'name', weight: 35 },
  ],
})

export const activities = defineResource(Activity, {
  path: 'activities',
  title: 'subject',
  icon: 'calendar-check',
  key: 't',
  fields: {
    type: {
      format: 'select',
      options: [
        { value: 'task', icon: 'square-check' },
        { value: 'call', icon: 'phone' },
        { value: 'meeting', icon: 'users-round' },
        { value: 'visit', icon: 'map-pin' },
        { value: 'mail', icon: 'mail' },
        { value: 'note', icon: 'sticky-note' },
      ],
    },
    status: {
      format: 'select',
      options: [
        { value: 'planned', tone: 'info', icon: 'circle-dashed' },
        { value: 'in_progress', tone: 'accent', icon: 'circle-dot' },
        { value: 'done', tone: 'success', icon: 'circle-check' },
        { value: 'cancelled', tone: 'neutral', icon: 'circle-slash' },
        { value: 'no_show', tone: 'danger', icon: 'circle-x' },
      ],
    },
    priority: {
      format: 'select',
      options: [
        { value: 'low', tone: 'neutral', icon: 'arrow-down' },
        { value: 'normal', tone: 'info', icon: 'minus' },
        { value: 'high', tone: 'danger', icon: 'arrow-up' },
      ],
    },
    completedAt: derived,
    body: { format: 'long' },
    account: { personal: true },
    contact: { personal: true },
    lead: { personal: true },
    record: { format: 'text', targetIn: 'resource', personal: true },
  },
  list: ['subject', 'type', 'status', 'priority', 'dueAt', 'startAt', 'account', 'contact', 'owner'],
  form: [
    'subject',
    'type',
    'status',
    'priority',
    'dueAt',
    'startAt',
    'endAt',
    'account',
    'contact',
    'lead',
    'body',
    'outcome',
    'owner',
    'team',
  ],
  search: ['subject', 'body', 'outcome', 'account.name', 'contact.name', 'lead.name'],
  kanban: { by: 'status', card: ['subject', 'type', 'dueAt', 'account', 'owner'] },
  sort: 'dueAt',
})

export const products = defineResource(Product, {
  path: 'products',
  title: 'name',
  icon: 'package',
  key: 'p',
  fields: {
    kind: { format: 'select', options: ['good', 'service', 'subscription'] },
    description: { format: 'long' },
    price: { format: 'money', currency: 'currency', min: 0 },
    currency: { required: false },
    taxRate: { format: 'percent', min: 0, max: 100 },
  },
  list: ['name', 'sku', 'kind', 'family', 'price', 'unit', 'taxRate', 'active'],
  form: ['name', 'sku', 'kind', 'family', 'description', 'unit', 'price', 'currency', 'taxRate', 'active'],
  search: ['name', 'sku', 'family'],
  sort: 'name',
  keys: ['sku', 'name'],
})

export const orders = defineResource(Order, {
  path: 'orders',
  title: 'number',
  icon: 'shopping-cart',
  fields: {
    number: { required: false },
    status: {
      format: 'select',
      options: [
        { value: 'draft', tone: 'neutral', icon: 'circle-dashed' },
        { value: 'confirmed', tone: 'info', icon: 'circle-dot' },
        { value: 'in_fulfilment', tone: 'accent', icon: 'truck' },
        { value: 'fulfilled', tone: 'success', icon: 'circle-check' },
        { value: 'cancelled', tone: 'danger', icon: 'circle-slash' },
      ],
    },
    currency: { required: false },
    net: sum,
    tax: sum,
    gross: sum,
  },
  list: ['number', 'account', 'status', 'orderedOn', 'net', 'gross', 'owner'],
  form: ['account', 'contact', 'status', 'orderedOn', 'reference', 'currency', 'source', 'owner', 'team'],
  search: ['number', 'reference', 'account.name'],
  kanban: { by: 'status', sum: 'net', card: ['number', 'account', 'net', 'orderedOn'] },
  timeline: true,
  keys: ['number'],
  numbered: { number: 'SO' },
})

const lineFields: Readonly<Record<string, FieldDefinition>> = {
  name: { required: false },
  unitPrice: { format: 'money', currency: 'currency', required: false },
  discount: { format: 'percent', min: 0, max: 100 },
  taxRate: { format: 'percent', min: 0, max: 100, required: false },
  net: { ...sum, derivedFrom: ['quantity', 'unitPrice', 'discount'] },
  currency: derived,
}
const lineColumns = ['product', 'name', 'quantity', 'unit', 'unitPrice', 'discount', 'taxRate', 'net']

export const orderLines = defineResource(OrderLine, {
  path: 'order-lines',
  title: 'name',
  icon: 'list',
  fields: lineFields,
  list: ['order', ...lineColumns],
  form: ['order', 'position', 'product', 'name', 'quantity', 'unit', 'unitPrice', 'discount', 'taxRate'],
  nav: false,
  sort: 'position',
})

export const invoices = defineResource(Invoice, {
  path: 'invoices',
  title: 'number',
  icon: 'receipt-text',
  key: 'i',
  fields: {
    number: { required: false },
    status: {
      format: 'select',
      options: [
        { value: 'draft', tone: 'neutral', icon: 'circle-dashed' },
        { value: 'issued', tone: 'info', icon: 'circle-dot' },
        { value: 'partly_paid', tone: 'warning', icon: 'circle-dot-dashed' },
        { value: 'paid', tone: 'success', icon: 'circle-check' },
        { value: 'cancelled', tone: 'danger', icon: 'circle-slash' },
      ],
    },
    currency: { required: false },
    net: sum,
    tax: sum,
    gross: sum,
    paid: sum,
    buyer: { format: 'long', readonly: true },
  },
  list: ['number', 'account', 'status', 'issuedOn', 'dueOn', 'gross', 'paid', 'owner'],
  form: [
    'account',
    'contact',
    'order',
    'creditOf',
    'status',
    'issuedOn',
    'dueOn',
    'reference',
    'currency',
    'source',
    'owner',
    'team',
  ],
  search: ['number', 'reference', 'account.name'],
  kanban: { by: 'status', sum: 'gross', card: ['number', 'account', 'gross', 'dueOn'] },
  timeline: true,
  keys: ['number'],
  numbered: { number: 'INV' },
})

export const invoiceLines = defineResource(InvoiceLine, {
  path: 'invoice-lines',
  title: 'name',
  icon: 'list',
  fields: lineFields,
  list: ['invoice', ...lineColumns],
  form: ['invoice', 'position', 'product', 'name', 'quantity', 'unit', 'unitPrice', 'discount', 'taxRate'],
  nav: false,
  sort: 'position',
})

export const payments = defineResource(Payment, {
  path: 'payments',
  title: 'reference',
  icon: 'banknote',
  fields: {
    account: { readonly: true },
    amount: { format: 'money', currency: 'currency' },
    currency: derived,
    method: { format: 'select', options: ['transfer', 'card', 'cheque', 'direct_debit', 'cash', 'other'] },
  },
  list: ['paidOn', 'account', 'invoice', 'amount', 'method', 'reference'],
  form: ['invoice', 'amount', 'paidOn', 'method', 'reference', 'source'],
  nav: false,
  sort: '-paidOn',
})

/** Every resource of the shared base, in the order of the navigation. */
export const sharedResources = [
  accounts,
  contacts,
  leads,
  activities,
  products,
  orders,
  invoices,
  accountContacts,
  orderLines,
  invoiceLines,
  payments,
  knownQuestions,
] as const
