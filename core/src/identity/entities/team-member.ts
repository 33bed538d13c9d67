import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../../records/record-base.ts'

export const TeamMemberSchema = defineEntity({
  name: 'TeamMember',
  schema: 'core',
  tableName: 'team_member',
  properties: {
    ...recordBase(),
    user: p.uuid().fieldName('user_id'),
    fromDate: p.date(),
    toDate: p.date().nullable(),
  },
})

/** One person in one team (the record's `team`), from a day on and until the day before another. */
export class TeamMember extends TeamMemberSchema.class {}
TeamMemberSchema.setClass(TeamMember)
