import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../records/record-base.ts'
import { Account } from './account.ts'

export const ContactSchema = defineEntity({
  name: 'Contact',
  schema: 'core',
  tableName: 'contact',
  properties: {
    ...recordBase(),
    name: p.string().length(250),
    firstName: p.string().length(120).nullable(),
    lastName: p.string().length(120).nullable(),
    jobTitle: p.string().length(120).nullable(),
    account: () => p.manyToOne(Account).nullable(),
    email: p.string().length(254).nullable(),
    phone: p.string().length(60).nullable(),
    phoneNorm: p.string().nullable(),
    mobile: p.string().length(60).nullable(),
    mobileNorm: p.string().nullable(),
    language: p.string().$type<'fr' | 'en'>().nullable(),
    birthDate: p.date().nullable(),
    reportsTo: () => p.manyToOne(ContactSchema).nullable(),
    source: p.string().length(120).nullable(),
    sourceChannel: p.string().default('direct'),
    doNotCall: p.boolean().default(false),
    doNotMail: p.boolean().default(false),
  },
})

/** A person, at one or more accounts. */
export class Contact extends ContactSchema.class {}
ContactSchema.setClass(Contact)
