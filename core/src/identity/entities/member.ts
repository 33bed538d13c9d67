import { defineEntity, p } from '@mikro-orm/core'
import type { Locale } from '../../actor.ts'
import { recordBase } from '../../records/record-base.ts'

export type MemberState = 'active' | 'invited' | 'inactive'

export const MemberSchema = defineEntity({
  name: 'Member',
  schema: 'core',
  tableName: 'member',
  properties: {
    ...recordBase(),
    name: p.string().length(200),
    email: p.string().length(254).nullable(),
    locale: p.string().$type<Locale>().default('en'),
    state: p.string().$type<MemberState>().default('active'),
    /** When they last did something, to some minutes; noted beside the write path. */
    lastSeenAt: p.datetime().nullable(),
    manager: p.uuid().fieldName('manager_id').nullable(),
    /** When they last chose a new password by an administrator's link. */
    passwordSetAt: p.datetime().nullable(),
    /** When an administrator last made a link to a new password. */
    passwordLinkAt: p.datetime().nullable(),
    /** When an administrator last took their second factor and passkeys away. */
    secondFactorResetAt: p.datetime().nullable(),
    /** When an administrator last ended sessions of theirs. */
    sessionsEndedAt: p.datetime().nullable(),
    /** When an identity provider last vouched for them, and what it was called. */
    vouchedAt: p.datetime().nullable(),
    vouchedBy: p.string().nullable(),
    /** When the link to an account of theirs at a provider was last taken away, and what that was called. */
    unlinkedAt: p.datetime().nullable(),
    unlinkedFrom: p.string().nullable(),
    /** Id of the partner they work for; null for the people of the house. What a partner is, a plugin knows. */
    partner: p.uuid().nullable(),
    /** All partners they stand for, their own among them. */
    partners: p.json<readonly string[]>().default('[]'),
  },
})

/** A user as one workspace knows them. The id is the sign-in's, so a person is the same in every workspace. */
export class Member extends MemberSchema.class {}
MemberSchema.setClass(Member)
