import { records } from '@socle/sdk/ui'

/** Ids of a resource that are asked for together. */
interface Question {
  readonly ids: string[]
  readonly answered: Promise<ReadonlyMap<string, string>>
}
const questions = new Map<string, Question>()
// As many as an address holds with ease.
const mostTogether = 50

/**
 * The title of a record, or its id where it cannot be read. It joins the question of this turn: a screen of changes names
 * hundreds, and one request for each would hold up all others.
 */
export async function askTitle(resourceId: string, id: string, title: string): Promise<string> {
  let question = questions.get(resourceId)
  if (!question || question.ids.length >= mostTogether)
    questions.set(resourceId, (question = opened(resourceId, title)))
  question.ids.push(id)
  return (await question.answered).get(id) ?? id
}

function opened(resourceId: string, title: string): Question {
  const ids: string[] = []
  const answered = new Promise<void>((send) => setTimeout(send)).then(() => {
    if (questions.get(resourceId)?.ids === ids) questions.delete(resourceId)
    return titlesOf(resourceId, ids, title)
  })
  return { ids, answered }
}

async function titlesOf(resourceId: string, ids: readonly string[], title: string): Promise<Map<string, string>> {
  const client = records(resourceId)
  const filter = `id in (${ids.map((id) => `"${id}"`).join(', ')})`
  const page = await client.list({ filter, fields: [title], limit: mostTogether }).catch(() => undefined)
  const titles = new Map(page?.data.map((it) => [it.id, String(it[title] ?? it.id)]))
  for (const id of page ? ids.filter((it) => !titles.has(it)) : []) {
    // Merged away, it is found by the record that took its place.
    const merged = await client.get(id).catch(() => undefined)
    if (merged) titles.set(id, String(merged.data[title] ?? id))
  }
  return titles
}
