import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../../records/record-base.ts'

export const TeamSchema = defineEntity({
  name: 'Team',
  schema: 'core',
  tableName: 'team',
  properties: {
    ...recordBase(),
    name: p.string().length(120),
    parent: () => p.manyToOne(TeamSchema).nullable(),
  },
})

/** People who work on the same records; a team sees its own and those of the teams below it. Its owner leads it. */
export class Team extends TeamSchema.class {}
TeamSchema.setClass(Team)
