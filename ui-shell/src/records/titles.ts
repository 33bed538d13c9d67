import { resource, shell } from '@socle/sdk/ui'

const known = new Map<string, string>()
const asked = new Map<string, Promise<void>>()
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Remembers a title met elsewhere, so that a chip does not fetch it again. */
export function rememberTitle(resourceId: string, id: string, title: string): void {
  known.set(`${resourceId} ${id}`, title)
}

/**
 * The title of a record a filter names, or `undefined` until `arrived` was called.
 * One that cannot be read (gone, or not permitted) keeps its id: the filter still says something.
 */
export function titleFor(resourceId: string, id: string, arrived: () => void): string | undefined {
  const key = `${resourceId} ${id}`
  const title = known.get(key)
  if (title !== undefined) return title
  if (shell()?.user.id === id) return shell()?.user.name
  const meta = resource(resourceId)
  if (!meta || !uuid.test(id)) return id
  const waiting = asked.get(key) ?? fetchTitle(key, resourceId, id, meta.title)
  asked.set(key, waiting)
  void waiting.then(arrived)
  return undefined
}

async function fetchTitle(key: string, resourceId: string, id: string, title: string): Promise<void> {
  const { askTitle } = await import('./title-questions.ts')
  known.set(key, await askTitle(resourceId, id, title))
  asked.delete(key)
}
