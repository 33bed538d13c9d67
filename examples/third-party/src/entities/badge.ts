import { Account, defineEntity, p, recordBase } from '@socle/sdk'

export const BadgeSchema = defineEntity({
  name: 'Badge',
  schema: 'badges',
  tableName: 'badge',
  properties: {
    ...recordBase(),
    visitor: p.string(),
    account: () => p.manyToOne(Account).nullable(),
  },
})
export class Badge extends BadgeSchema.class {}
BadgeSchema.setClass(Badge)
