import { defineResource } from '@socle/sdk'
import { Opportunity } from './entities/opportunity.ts'
import { Pipeline } from './entities/pipeline.ts'
import { Reason } from './entities/reason.ts'
import { Stage } from './entities/stage.ts'

export const opportunities = defineResource(Opportunity, {
  path: 'opportunities',
  title: 'name',
  icon: 'target',
  key: 'o',
  fields: {
    amount: { format: 'money', currency: 'currency', min: 0 },
    weighted: { format: 'money', currency: 'currency', readonly: true, derivedFrom: ['amount', 'probability'] },
    currency: { required: false },
    probability: { format: 'percent', required: false, min: 0, max: 100 },
    probabilityMode: { format: 'select', options: ['stage', 'manual'], readonly: true },
    // Without a pipeline it is the first one, without a stage that pipeline's first.
    pipeline: { required: false },
    stage: { required: false },
    stageEnteredAt: { readonly: true },
    status: {
      format: 'select',
      readonly: true,
      options: [
        { value: 'open', tone: 'info', icon: 'circle-dot' },
        { value: 'won', tone: 'success', icon: 'check' },
        { value: 'lost', tone: 'danger', icon: 'x' },
      ],
    },
    sourceChannel: { format: 'select', options: ['direct', 'partner', 'web', 'import', 'api'] },
  },
  list: ['name', 'account', 'stage', 'amount', 'closeDate', 'nextStep', 'owner'],
  form: [
    'name',
    'account',
    'contact',
    'product',
    'pipeline',
    'stage',
    'amount',
    'closeDate',
    'nextStep',
    'nextStepOn',
    'sourceChannel',
    'owner',
  ],
  search: ['name', 'code', 'account.name'],
  kanban: { by: 'stage', sum: 'amount', weighted: 'weighted', card: ['account', 'amount', 'closeDate', 'owner'] },
  keys: ['code', 'name'],
  timeline: true,
})

export const pipelines = defineResource(Pipeline, {
  path: 'pipelines',
  title: 'name',
  icon: 'workflow',
  list: ['name', 'position', 'reasonRequired'],
  sort: 'position',
  nav: false,
})

export const stages = defineResource(Stage, {
  path: 'stages',
  title: 'name',
  icon: 'milestone',
  fields: {
    probability: { format: 'percent', min: 0, max: 100 },
    kind: {
      format: 'select',
      options: [
        { value: 'open', tone: 'info', icon: 'circle-dot' },
        { value: 'won', tone: 'success', icon: 'check' },
        { value: 'lost', tone: 'danger', icon: 'x' },
      ],
    },
    category: { format: 'select', options: ['omitted', 'pipeline', 'best_case', 'commit', 'closed'] },
    rotDays: { min: 1 },
  },
  list: ['name', 'pipeline', 'position', 'probability', 'kind', 'category', 'rotDays'],
  sort: 'position',
  nav: false,
})

export const reasons = defineResource(Reason, {
  path: 'reasons',
  title: 'label',
  icon: 'message-circle-question',
  fields: {
    kind: {
      format: 'select',
      options: [
        { value: 'won', tone: 'success', icon: 'check' },
        { value: 'lost', tone: 'danger', icon: 'x' },
      ],
    },
  },
  list: ['label', 'kind', 'noteRequired'],
  sort: 'label',
  nav: false,
})
