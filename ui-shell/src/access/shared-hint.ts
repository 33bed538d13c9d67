import { api, navigate, resource, t, toast } from '@socle/sdk/ui'

interface SharedWithMe {
  readonly id: string
  readonly resource: string
  readonly record: string
  readonly title: string
  /** What its kind is called. */
  readonly name: string
  readonly by: string | null
}

/** Several records are mostly shared at once: they are told together. */
const gatherMilliseconds = 400

const arrived = new Set<string>()
let telling: ReturnType<typeof setTimeout> | undefined

/** Says that something was shared with whoever works in this tab, or a team of theirs, and by whom; what they shared themselves is no news. */
export function hearShare(id: string): void {
  arrived.add(id)
  clearTimeout(telling)
  telling = setTimeout(() => void tell(), gatherMilliseconds)
}

async function tell(): Promise<void> {
  const ids = new Set(arrived)
  arrived.clear()
  const { data } = await api.get<{ data: readonly SharedWithMe[] }>('/api/core/shares/with-me')
  const [first, ...others] = data.filter((it) => ids.has(it.id))
  if (!first) return
  const route = resource(first.resource)?.route
  toast({
    text: t('shell.shared.told', {
      by: first.by ?? '',
      kind: first.name,
      title: first.title,
      others: others.length,
    }),
    ...(route === undefined
      ? {}
      : { action: { label: t('shell.shared.open'), run: () => navigate(`${route}/${first.record}`) } }),
  })
}
