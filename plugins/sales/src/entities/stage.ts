import { defineEntity, p, recordBase } from '@socle/sdk'
import { Pipeline } from './pipeline.ts'

export const StageSchema = defineEntity({
  name: 'Stage',
  schema: 'sales',
  tableName: 'stage',
  properties: {
    ...recordBase(),
    pipeline: () => p.manyToOne(Pipeline),
    name: p.string(),
    position: p.integer(),
    probability: p.decimal().precision(5).scale(2),
    kind: p.string().default('open'),
    category: p.string().default('pipeline'),
    /** Days after which an opportunity that stands still here is rotting. */
    rotDays: p.integer().nullable(),
  },
})
export class Stage extends StageSchema.class {}
StageSchema.setClass(Stage)
