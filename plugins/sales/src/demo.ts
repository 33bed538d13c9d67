import type { Context, DemoData } from '@socle/sdk'
import { opportunities, reasons, stages } from './resources.ts'

const projects: Readonly<Record<'en' | 'fr', readonly string[]>> = {
  en: ['New equipment', 'Annual contract', 'Extension', 'Replacement', 'Pilot', 'Maintenance'],
  fr: ['Nouvel équipement', 'Contrat annuel', 'Extension', 'Remplacement', 'Pilote', 'Maintenance'],
}
const steps: Readonly<Record<'en' | 'fr', readonly string[]>> = {
  en: ['Call back', 'Send the offer', 'Visit on site', 'Meet the buyer'],
  fr: ['Rappeler', 'Envoyer l’offre', 'Visite sur site', 'Rencontrer l’acheteur'],
}
/** How many opportunities stand in each of the first pipeline's five stages. */
const perStage = [12, 9, 6, 14, 7]

/** A full pipeline over the demonstration accounts, the same in every workspace. */
export const demo: DemoData = async (ctx) => {
  const { data: accounts } = await ctx.records.list('core.account', { limit: 100, sort: 'name', count: 'none' })
  const { data: people } = await ctx.records.list('core.user', { limit: 20, sort: 'name', count: 'none' })
  const { data: places } = await ctx.records.list(stages, { sort: 'position', count: 'none' })
  const { data: why } = await ctx.records.list(reasons, {
    filter: 'kind = "lost" and noteRequired = false',
    sort: 'label',
    count: 'none',
  })
  if (accounts.length === 0) return
  const chosen = places
    .slice(0, perStage.length)
    .flatMap((stage, index) => Array.from({ length: perStage[index] ?? 0 }, () => stage))
  // The open ones last: lists begin with what is newest.
  for (const [n, stage] of [...chosen.entries()].toReversed()) {
    const account = accounts[(n * 7) % accounts.length]
    const owner = people[n % Math.max(1, people.length)]
    const lost = stage['kind'] === 'lost'
    const closed = stage['kind'] !== 'open'
    const project = projects[ctx.workspace.locale][n % 6]
    await ctx.records.create(opportunities, {
      name: `${String(account?.['name'])} – ${project}`,
      account: account?.id,
      stage: stage.id,
      amount: String(1_500 + ((n * 7_919) % 96_000)),
      openedOn: dayFrom(ctx, -20 - ((n * 13) % 160)),
      closeDate: dayFrom(ctx, closed ? -1 - ((n * 5) % 80) : 3 + ((n * 11) % 110)),
      ...(closed
        ? { closedOn: dayFrom(ctx, -1 - ((n * 5) % 80)) }
        : n % 4 === 3
          ? {}
          : { nextStep: steps[ctx.workspace.locale][n % 4], nextStepOn: dayFrom(ctx, (n % 9) - 2) }),
      ...(lost ? { reason: why[n % Math.max(1, why.length)]?.id } : {}),
      ...(owner ? { owner: owner.id } : {}),
    })
  }
}

function dayFrom(ctx: Context, days: number): string {
  const day = new Date(`${ctx.clock.today()}T12:00:00Z`)
  day.setUTCDate(day.getUTCDate() + days)
  return day.toISOString().slice(0, 10)
}
