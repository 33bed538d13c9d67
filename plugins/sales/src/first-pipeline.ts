import type { Context, Locale } from '@socle/sdk'
import { pipelines, reasons, stages } from './resources.ts'

interface Start {
  readonly pipeline: string
  readonly stages: readonly {
    readonly name: string
    readonly probability: string
    readonly kind: string
    readonly category: string
    readonly rotDays?: number
  }[]
  readonly reasons: readonly { readonly kind: string; readonly label: string; readonly noteRequired?: boolean }[]
}

const start: Readonly<Record<Locale, Start>> = {
  en: {
    pipeline: 'Direct',
    stages: [
      { name: 'Qualification', probability: '10', kind: 'open', category: 'pipeline', rotDays: 21 },
      { name: 'Proposal', probability: '40', kind: 'open', category: 'best_case', rotDays: 14 },
      { name: 'Negotiation', probability: '70', kind: 'open', category: 'commit', rotDays: 10 },
      { name: 'Won', probability: '100', kind: 'won', category: 'closed' },
      { name: 'Lost', probability: '0', kind: 'lost', category: 'omitted' },
    ],
    reasons: [
      { kind: 'lost', label: 'Price' },
      { kind: 'lost', label: 'Competitor' },
      { kind: 'lost', label: 'No budget' },
      { kind: 'lost', label: 'No answer' },
      { kind: 'lost', label: 'Other', noteRequired: true },
      { kind: 'won', label: 'Best offer' },
      { kind: 'won', label: 'Existing client' },
    ],
  },
  fr: {
    pipeline: 'Direct',
    stages: [
      { name: 'Qualification', probability: '10', kind: 'open', category: 'pipeline', rotDays: 21 },
      { name: 'Proposition', probability: '40', kind: 'open', category: 'best_case', rotDays: 14 },
      { name: 'Négociation', probability: '70', kind: 'open', category: 'commit', rotDays: 10 },
      { name: 'Gagnée', probability: '100', kind: 'won', category: 'closed' },
      { name: 'Perdue', probability: '0', kind: 'lost', category: 'omitted' },
    ],
    reasons: [
      { kind: 'lost', label: 'Prix' },
      { kind: 'lost', label: 'Concurrent' },
      { kind: 'lost', label: 'Pas de budget' },
      { kind: 'lost', label: 'Sans réponse' },
      { kind: 'lost', label: 'Autre', noteRequired: true },
      { kind: 'won', label: 'Meilleure offre' },
      { kind: 'won', label: 'Client existant' },
    ],
  },
}

/** A pipeline to begin with, in the workspace's language; one that already has a pipeline keeps its own. */
export async function firstPipeline(ctx: Context): Promise<void> {
  const { data } = await ctx.records.list(pipelines, { limit: 1, count: 'none' })
  if (data.length > 0) return
  const begin = start[ctx.workspace.locale]
  const pipeline = await ctx.records.create(pipelines, { name: begin.pipeline })
  for (const [index, stage] of begin.stages.entries()) {
    await ctx.records.create(stages, { ...stage, pipeline: pipeline.id, position: index + 1 })
  }
  for (const reason of begin.reasons) await ctx.records.create(reasons, reason)
}
