import { Account, Contact, defineEntity, money, p, Product, recordBase } from '@socle/sdk'
import { Pipeline } from './pipeline.ts'
import { Reason } from './reason.ts'
import { Stage } from './stage.ts'

export const OpportunitySchema = defineEntity({
  name: 'Opportunity',
  schema: 'sales',
  tableName: 'opportunity',
  properties: {
    ...recordBase(),
    code: p.string().nullable(),
    name: p.string(),
    account: () => p.manyToOne(Account).nullable(),
    contact: () => p.manyToOne(Contact).nullable(),
    product: () => p.manyToOne(Product).nullable(),
    pipeline: () => p.manyToOne(Pipeline),
    stage: () => p.manyToOne(Stage),
    status: p.string().default('open'),
    amount: money().nullable(),
    currency: p.string().length(3),
    probability: p.decimal().precision(5).scale(2),
    probabilityMode: p.string().default('stage'),
    weighted: money().nullable().generated('round(amount * probability / 100, 4) stored'),
    openedOn: p.date().nullable(),
    closeDate: p.date().nullable(),
    closedOn: p.date().nullable(),
    stageEnteredAt: p.datetime(),
    nextStep: p.string().nullable(),
    nextStepOn: p.date().nullable(),
    reason: () => p.manyToOne(Reason).nullable(),
    reasonNote: p.text().nullable(),
    sourceChannel: p.string().default('direct'),
  },
})
export class Opportunity extends OpportunitySchema.class {}
OpportunitySchema.setClass(Opportunity)
