import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../records/record-base.ts'
import { Account } from './account.ts'
import { Contact } from './contact.ts'

export const AccountContactSchema = defineEntity({
  name: 'AccountContact',
  schema: 'core',
  tableName: 'account_contact',
  properties: {
    ...recordBase(),
    account: () => p.manyToOne(Account),
    contact: () => p.manyToOne(Contact),
    role: p.string().length(120).nullable(),
    primary: p.boolean().default(false).fieldName('is_primary'),
    decisionMaker: p.boolean().default(false),
    from: p.date().nullable().fieldName('from_date'),
    to: p.date().nullable().fieldName('to_date'),
  },
})

/** What a contact is at an account, and since when. A contact's one current primary link names its account. */
export class AccountContact extends AccountContactSchema.class {}
AccountContactSchema.setClass(AccountContact)
