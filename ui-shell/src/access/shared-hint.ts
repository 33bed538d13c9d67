import { api, navigate, resource, t, toast } from '@socle/sdk/ui'
import { session } from '../session-doc.ts'
import type { SharedPage } from './access-api.ts'

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
  const { data } = await api.get<SharedPage>('/api/core/shares/with-me?limit=200')
  const [first, ...others] = data.filter((it) => ids.has(it.id))
  if (!first) return
  // The first of its kind brings the place where they stand.
  if (!resource(first.resource)?.shared) void session.load()
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
