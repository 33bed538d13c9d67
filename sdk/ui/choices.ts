import { api } from './api.ts'
import { records } from './records.ts'
import { resource } from './session.ts'
import type { FieldMeta, IncludedRecord, Page, RecordJson } from './types.ts'

/** One record that a reference may point at. */
export interface Choice {
  readonly id: string
  readonly title: string
  readonly subtitle: string
}

const platformLists: Partial<Record<FieldMeta['type'], string>> = { user: '/api/core/users', team: '/api/core/teams' }
const offered = 50

/** Searches what a reference, user or team field may point at; the server decides what this actor sees. */
export async function searchChoices(field: FieldMeta, text: string, signal: AbortSignal): Promise<Choice[]> {
  const q = text.trim()
  const meta = field.target ? resource(field.target) : undefined
  if (meta) {
    const page = await records(meta.id).list({ limit: offered, count: 'none', ...(q ? { q } : {}) }, { signal })
    return page.data.map((row) => choiceOf(row, meta.title))
  }
  const list = platformLists[field.type]
  if (!list) return []
  const page = await api.get<Page>(`${list}?limit=${offered}${q ? `&q=${encodeURIComponent(q)}` : ''}`, { signal })
  return page.data.map((row) => choiceOf(row, 'name'))
}

/** The record a field points at now, from what the list brought along or from the server. */
export async function currentChoice(
  field: FieldMeta,
  id: string,
  known: IncludedRecord | undefined,
): Promise<Choice | undefined> {
  if (known) return { id, title: known.title, subtitle: '' }
  const meta = field.target ? resource(field.target) : undefined
  if (!meta) return (await searchChoices(field, '', new AbortController().signal)).find((it) => it.id === id)
  const { data } = await records(meta.id).get(id)
  return choiceOf(data, meta.title)
}

function choiceOf(row: RecordJson, titleField: string): Choice {
  const title = String(row[titleField] ?? row['title'] ?? row['name'] ?? row.id)
  const beside = [row['email'], row['city'], row['code']].find((it) => typeof it === 'string' && it && it !== title)
  return { id: row.id, title, subtitle: typeof beside === 'string' ? beside : '' }
}
