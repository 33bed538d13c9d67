import { records, resource, shell } from '@socle/sdk/ui'
import type { FieldMeta, FieldOption, Included, RecordJson, ResourceMeta, Tone } from '@socle/sdk/ui'
import { fieldOf, titleOf } from './resources.ts'
import { rememberTitle } from './titles.ts'

/** One value a board's or path's field may take. */
export interface Stage {
  readonly key: string
  readonly title: string
  readonly tone: Tone | undefined
  /** The record behind it, when the field is a reference. */
  readonly record: RecordJson | undefined
}

/**
 * Where the values of a field depend on another field of the same record: the stages of one pipeline.
 * It is so when both resources have a required reference to one third.
 */
export interface Scope {
  /** Field of the resource itself. */
  readonly own: FieldMeta
  /** The stage's field that must agree with it. */
  readonly stage: FieldMeta
}

const ordering = ['position', 'rank', 'order', 'sequence']
const most = 200
const answers = new Map<string, Promise<readonly RecordJson[]>>()

export function scopeOf(meta: ResourceMeta, by: FieldMeta): Scope | undefined {
  const target = by.type === 'reference' && by.target ? resource(by.target) : undefined
  const shared = target?.fields.find(
    (it) =>
      it.type === 'reference' &&
      it.required &&
      it.target !== meta.id &&
      meta.fields.some((own) => own.target === it.target && own.type === 'reference' && own.required),
  )
  const own = shared && meta.fields.find((it) => it.target === shared.target && it.type === 'reference')
  return shared && own ? { own, stage: shared } : undefined
}

/** The stages in their order. Those of a reference are read once a page. */
export async function stagesOf(meta: ResourceMeta, by: FieldMeta, scope?: string): Promise<readonly Stage[]> {
  if (by.options) return by.options.map((it) => ({ key: it.value, title: it.label, tone: it.tone, record: undefined }))
  const target = by.target ? resource(by.target) : undefined
  if (!target) return []
  const rows = await rowsOf(target)
  const shared = scopeOf(meta, by)
  const wanted = shared && scope ? rows.filter((it) => it[shared.stage.name] === scope) : rows
  return wanted.map((it) => ({ key: it.id, title: titleOf(target, it), tone: toneOf(target, it), record: it }))
}

/** Records of the scope, e.g. the pipelines, for the board's switch. */
export async function scopesOf(scope: Scope): Promise<readonly Stage[]> {
  const target = scope.own.target ? resource(scope.own.target) : undefined
  if (!target) return []
  return (await rowsOf(target)).map((it) => ({ key: it.id, title: titleOf(target, it), tone: undefined, record: it }))
}

/**
 * The field with only the choices that fit the record: the stages of its own pipeline.
 * Until they are read, and for every other field, it is the field itself.
 */
export function fittingField(
  meta: ResourceMeta,
  field: FieldMeta,
  values: Readonly<Record<string, unknown>>,
  arrived: () => void,
): FieldMeta {
  const scope = scopeOf(meta, field)
  const group = scope && values[scope.own.name]
  if (typeof group !== 'string') return field
  const key = `${meta.id} ${field.name} ${group}`
  const known = fitting.get(key)
  if (known) return known
  void stagesOf(meta, field, group)
    .then((stages) => {
      const options = stages.map((it) => ({ value: it.key, label: it.title, ...(it.tone ? { tone: it.tone } : {}) }))
      fitting.set(key, { ...field, type: 'select', options })
      arrived()
    })
    .catch(() => undefined)
  return field
}

const fitting = new Map<string, FieldMeta>()

function rowsOf(target: ResourceMeta): Promise<readonly RecordJson[]> {
  const known = answers.get(target.id)
  if (known) return known
  const order = ordering.find((name) => fieldOf(target, name)?.sortable)
  const query = {
    limit: most,
    count: 'none' as const,
    ...(order ? { sort: order } : fieldOf(target, target.title)?.sortable ? { sort: target.title } : {}),
  }
  const answer = records(target.id)
    .list(query)
    .then((page) => {
      for (const row of page.data) rememberTitle(target.id, row.id, titleOf(target, row))
      return page.data
    })
  answer.catch(() => answers.delete(target.id))
  answers.set(target.id, answer)
  return answer
}

function toneOf(target: ResourceMeta, row: RecordJson): Tone | undefined {
  const own = row['tone']
  return typeof own === 'string' ? (own as Tone) : optionOf(target, row)?.tone
}

/** The first choice of a record that has a colour: of a stage, that it is open, won or lost. */
function optionOf(target: ResourceMeta, row: Readonly<Record<string, unknown>>): FieldOption | undefined {
  for (const field of target.fields) {
    const option = field.options?.find((it) => it.value === row[field.name])
    if (option?.tone) return option
  }
  return undefined
}

/** Gives the records that boards stand on their colour and sign, so that a stage is a pill wherever it is shown. */
export function withTones(included: Included | undefined): Included {
  if (!included) return {}
  const toned: Record<string, Included[string]> = { ...included }
  for (const { kanban, fields } of shell()?.resources ?? []) {
    const by = kanban && fields.find((it) => it.name === kanban.by)
    const target = by?.type === 'reference' && by.target ? resource(by.target) : undefined
    const rows = target && included[target.id]
    if (!target || !rows) continue
    toned[target.id] = Object.fromEntries(
      Object.entries(rows).map(([id, row]) => {
        const option = optionOf(target, row)
        return [id, option ? { tone: option.tone, icon: option.icon, ...row } : row]
      }),
    )
  }
  return toned
}
