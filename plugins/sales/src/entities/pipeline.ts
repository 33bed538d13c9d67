import { defineEntity, p, recordBase } from '@socle/sdk'

export const PipelineSchema = defineEntity({
  name: 'Pipeline',
  schema: 'sales',
  tableName: 'pipeline',
  properties: {
    ...recordBase(),
    name: p.string(),
    position: p.integer().default(1),
    /** A lost opportunity must say why. */
    reasonRequired: p.boolean().default(true),
  },
})
export class Pipeline extends PipelineSchema.class {}
PipelineSchema.setClass(Pipeline)
