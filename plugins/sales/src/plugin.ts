import { definePlugin } from '@socle/sdk'
import { OpportunityLost, OpportunityMoved, OpportunityReopened, OpportunityWon } from './contract.ts'
import { demo } from './demo.ts'
import { OpportunitySchema } from './entities/opportunity.ts'
import { PipelineSchema } from './entities/pipeline.ts'
import { ReasonSchema } from './entities/reason.ts'
import { StageSchema } from './entities/stage.ts'
import { firstPipeline } from './first-pipeline.ts'
import { guards } from './guards.ts'
import { permissions, roleTemplates } from './permissions.ts'
import { opportunities, pipelines, reasons, stages } from './resources.ts'
import { routes } from './routes.ts'
import { SalesSettings } from './settings.ts'
import { subscribers } from './subscribers.ts'

/** From first contact to won or lost: pipelines, stages, opportunities and the board. */
export const salesPlugin = definePlugin({
  id: 'sales',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Sales', fr: 'Ventes' },
  summary: {
    en: 'Every opportunity, stage by stage, with what to do next and what it is worth.',
    fr: 'Chaque opportunité, étape par étape, avec la suite à donner et ce qu’elle vaut.',
  },
  icon: 'target',
  entities: [PipelineSchema, StageSchema, ReasonSchema, OpportunitySchema],
  resources: [opportunities, pipelines, stages, reasons],
  permissions,
  roleTemplates,
  emits: [OpportunityMoved, OpportunityWon, OpportunityLost, OpportunityReopened],
  guards,
  subscribers,
  routes,
  settings: SalesSettings,
  migrations: new URL('../migrations/', import.meta.url),
  i18n: new URL('./i18n/', import.meta.url),
  demo,
  ui: {
    entry: './ui',
    fills: [
      {
        id: 'sales.stages',
        slot: 'sales.opportunity.tabs@1',
        tag: 'sales-stage-history',
        title: { en: 'Stages', fr: 'Étapes' },
        order: 20,
      },
      {
        id: 'sales.pipeline',
        slot: 'core:home.widgets@1',
        tag: 'sales-pipeline-widget',
        title: { en: 'Open pipeline', fr: 'Pipeline ouvert' },
        order: 10,
        permission: 'sales.opportunity.read',
      },
    ],
  },
  lifecycle: { onEnable: firstPipeline },
})
