import { defineEntity, p } from '@mikro-orm/core'
import { forAuditors } from '../records/audience.ts'
import { defineResource } from '../records/define-resource.ts'
import { recordBase } from '../records/record-base.ts'

export const KnownQuestionSchema = defineEntity({
  name: 'KnownQuestion',
  schema: 'core',
  tableName: 'known_question',
  properties: {
    ...recordBase(),
    /** What was asked, in one line. */
    question: p.string().length(600),
    name: p.string().length(200).nullable(),
    domain: p.string().length(253).nullable(),
    siren: p.string().length(9).nullable(),
    answer: p.string(),
    /** User or API key; a day's questions are counted by it. */
    asker: p.uuid(),
    askedOn: p.date(),
    partner: p.uuid().nullable(),
  },
})

/** That somebody asked whether a prospect is known: kept for the auditor, who sees what was fished for. */
export class KnownQuestion extends KnownQuestionSchema.class {}
KnownQuestionSchema.setClass(KnownQuestion)

export const knownQuestions = defineResource(KnownQuestion, {
  path: 'known-questions',
  title: 'question',
  icon: 'circle-help',
  nav: false,
  readonly: true,
  audience: forAuditors,
  fields: { answer: { format: 'select', options: ['free', 'known', 'yours'] } },
  list: ['question', 'answer', 'owner', 'partner', 'createdAt'],
})
