import { defineEntity, p, recordBase } from '@socle/sdk'

export const ReasonSchema = defineEntity({
  name: 'Reason',
  schema: 'sales',
  tableName: 'reason',
  properties: {
    ...recordBase(),
    kind: p.string(),
    label: p.string(),
    noteRequired: p.boolean().default(false),
  },
})
export class Reason extends ReasonSchema.class {}
ReasonSchema.setClass(Reason)
