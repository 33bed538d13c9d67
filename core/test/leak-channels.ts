import { inflateRawSync } from 'node:zlib'
import type { FieldModel } from '../src/records/model.ts'
import { fieldTypes } from '../src/records/field-types.ts'
import type { LeakWorld, Specimen } from './leak-world.ts'
import { Importing } from './import-world.ts'
import type { TestClient } from '../src/testing/index.ts'

/** An answer as it left the platform: status, headers and body. */
export interface Heard {
  readonly status: number
  readonly text: string
}

/** Asks as one reader; whatever comes back is looked through for what the reader may not know. */
export interface Asking {
  readonly client: TestClient
  readonly world: LeakWorld
  /** Fields of the specimen's resource that hold a value, as far as the reader may read them, and those they may not. */
  readonly open: readonly FieldModel[]
  readonly closed: readonly FieldModel[]
  /** What the reader may only recognise. */
  readonly masked: readonly FieldModel[]
  send(method: string, path: string, body?: unknown): Promise<Heard>
  /** What is heard without asking, such as the lines of a stream. */
  hear(what: string, text: string): void
  /** Whether the reader may not read a field of the specimen's resource, or only recognise it. */
  hides(field: string): boolean
  /** A fault that no value shows. */
  wrong(what: string): void
  /** Must be refused with this status, and is a fault where it is not. */
  refused(status: number, method: string, path: string, body?: unknown): Promise<void>
  /** A second question of a kind is asked where each field is asked about by itself. */
  readonly isThorough: boolean
  /** Lets the platform do what it does in the background. */
  work(): Promise<void>
}

export interface Channel {
  readonly name: string
  /** Addresses below a resource's own that this channel covers: `GET /:id`. */
  readonly covers: readonly string[]
  readonly ask: (asking: Asking, specimen: Specimen) => Promise<void>
  /** Asked once everything was asked for that takes its time. */
  readonly fetch?: (asking: Asking, specimen: Specimen) => Promise<void>
  /** Where even who may read everything sees no value here: the channel says only that it refuses. */
  readonly tellsNothing?: true
  /** Not asked as who may do everything: it would be done. */
  readonly refusesOnly?: true
}

const baseOf = ({ resource }: Specimen): string => `/api/${resource.plugin}/${resource.path}`
const text = (value: string): string => encodeURIComponent(value)
const named = (fields: readonly FieldModel[]): string => fields.map(({ name }) => name).join(',')
const notReadable = 403
/** Changed by the engine's own routes; one's own views are nobody else's. */
const channelled = ({ resource }: Specimen): boolean => !resource.options.readonly && resource.id !== 'core.view'

/** Words of a specimen that a search could find it by: those of its closed fields first. */
function wordsOf({ record }: Specimen, fields: readonly FieldModel[]): string[] {
  return fields.flatMap(({ name }) => {
    const value = record[name]
    return typeof value === 'string' && /zqk|14268|33/i.test(value) ? [value] : []
  })
}

interface Viewed {
  readonly data?: readonly unknown[]
  readonly page?: { readonly count: number }
  readonly view?: unknown
}

/** A form of file that is written like any other; a few kinds of records show that. */
function fileChannel(name: string, format: string, resources: readonly string[]): Channel {
  const made = new Map<string, string>()
  return {
    name: `export as ${name}`,
    covers: [],
    async ask({ send, open, masked, client }, it) {
      if (!resources.includes(it.resource.id)) return
      const fields = [...open, ...masked].map(({ name: field }) => field)
      const { status, text: body } = await send('POST', '/api/core/exports', {
        resource: it.resource.id,
        format,
        ...(fields.length > 0 ? { fields } : {}),
      })
      const { data } = JSON.parse(body) as { data?: { id: string } }
      if (status < 300 && data) made.set(`${client.who.actor.id} ${it.id}`, data.id)
    },
    async fetch({ work, client, hear }, it) {
      const id = made.get(`${client.who.actor.id} ${it.id}`)
      if (id === undefined) return
      await work()
      const file = await client.raw('GET', `/api/core/exports/${id}/file`)
      const bytes = Buffer.from(await file.arrayBuffer())
      hear(`${name} file`, format === 'xlsx' && file.ok ? unzipped(bytes) : bytes.toString())
    },
  }
}

/** The texts of a ZIP file, its entries one after the other; sizes stand in its central directory (APPNOTE 4.3.12). */
function unzipped(zip: Buffer): string {
  let text = ''
  for (let at = zip.indexOf('PK\x01\x02'); at >= 0; at = zip.indexOf('PK\x01\x02', at + 4)) {
    const [method, size, local] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)]
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const entry = zip.subarray(start, start + size)
    text += method === 8 ? inflateRawSync(entry).toString() : entry.toString()
  }
  return text
}

/** What a record tells that lies in the bin; asked when the specimens do. */
export const bin: Channel = {
  name: 'bin',
  covers: [],
  async ask({ send, open, closed, masked, refused }, it) {
    const path = baseOf(it)
    await send('GET', `${path}?deleted=only&limit=200`)
    await send('POST', `${path}/query`, { deleted: 'only', fields: [...open, ...masked].map(({ name }) => name) })
    for (const one of ['', '/history']) await send('GET', `${path}/${it.id}${one}`)
    if (it.resource.options.timeline) await send('GET', `${path}/${it.id}/timeline`)
    for (const { name } of [...closed, ...masked].slice(0, 2))
      await refused(notReadable, 'GET', `${path}?deleted=only&filter=${text(`not (${name} is empty)`)}`)
    await send('GET', `/api/core/search?q=${text(String(it.record[it.resource.title] ?? ''))}&type=${it.resource.id}`)
    if (channelled(it)) await send('PATCH', `${path}/${it.id}`, { version: it.record.version, owner: null })
  },
}

/** Every way a record's values may come to somebody. A way that is added to the platform is one more row here. */
export const channels: readonly Channel[] = [
  {
    name: 'list',
    covers: ['GET', 'POST /query'],
    async ask({ send, open, masked, closed, refused }, it) {
      await send('GET', `${baseOf(it)}?limit=200`)
      await send('POST', `${baseOf(it)}/query`, { limit: 200, fields: [...open, ...masked].map(({ name }) => name) })
      for (const { name } of closed) await refused(notReadable, 'GET', `${baseOf(it)}?fields=${name}`)
    },
  },
  {
    name: 'get',
    covers: ['GET /:id'],
    ask: async ({ send }, it) => void (await send('GET', `${baseOf(it)}/${it.id}`)),
  },
  {
    name: 'filter',
    covers: [],
    tellsNothing: true,
    async ask({ send, open, closed, masked, refused }, it) {
      const asks = ({ name }: FieldModel) => `${baseOf(it)}?filter=${text(`not (${name} is empty)`)}`
      for (const field of [...closed, ...masked]) await refused(notReadable, 'GET', asks(field))
      // A name that is nearly right is met with a suggestion.
      for (const { name } of closed) await send('GET', `${baseOf(it)}?filter=${text(`${name}x = 1`)}`)
      for (const field of open) await send('GET', asks(field))
    },
  },
  {
    name: 'why',
    covers: ['GET /:id/why'],
    async ask({ send, open, closed, masked, refused }, it) {
      const asks = (fields: readonly FieldModel[]) =>
        `${baseOf(it)}/${it.id}/why?filter=${text(fields.map(({ name }) => `not (${name} is empty)`).join(' and '))}`
      for (const field of [...closed.slice(0, 2), ...masked.slice(0, 2)])
        await refused(notReadable, 'GET', asks([field, ...open.slice(0, 1)]))
      for (let at = 0; at < open.length; at += 10) await send('GET', asks(open.slice(at, at + 10)))
    },
  },
  {
    name: 'sort',
    covers: [],
    tellsNothing: true,
    async ask({ send, open, closed, masked, refused }, it) {
      const sorts = ({ type }: FieldModel) => fieldTypes[type].sorts
      for (const { name } of [...closed, ...masked].filter(sorts))
        await refused(notReadable, 'GET', `${baseOf(it)}?sort=${name}&limit=1`)
      for (const { name } of open.filter(sorts)) await send('GET', `${baseOf(it)}?sort=-${name}&limit=1`)
    },
  },
  {
    name: 'group',
    covers: ['POST /aggregate'],
    async ask({ send, open, closed, masked, refused }, it) {
      const path = `${baseOf(it)}/aggregate`
      const groups = ({ type }: FieldModel) => fieldTypes[type].groups
      const asks = ({ name }: FieldModel) => ({ groupBy: [name], measures: ['count'] })
      for (const field of [...closed, ...masked].filter(groups)) await refused(notReadable, 'POST', path, asks(field))
      for (const field of open.filter(groups)) await send('POST', path, asks(field))
    },
  },
  {
    name: 'aggregate',
    covers: [],
    async ask({ send, open, closed, masked, refused }, it) {
      const path = `${baseOf(it)}/aggregate`
      const orders = ({ type }: FieldModel) => fieldTypes[type].sums || type === 'date' || type === 'instant'
      for (const { name } of [...closed, ...masked].filter(orders))
        for (const verb of ['min', 'max']) await refused(notReadable, 'POST', path, { measures: [`${verb}:${name}`] })
      for (const { name } of open.filter(orders)) await send('POST', path, { measures: ['count', `max:${name}`] })
    },
  },
  {
    name: 'board',
    covers: ['POST /board'],
    async ask({ send, open, masked, closed, refused }, it) {
      const path = `${baseOf(it)}/board`
      const fields = [...open, ...masked].map(({ name }) => name)
      await send('POST', path, { by: 'owner', fields, limit: 50 })
      const groups = ['select', 'reference', 'user', 'team', 'boolean']
      for (const { name } of [...closed, ...masked].filter(({ type }) => groups.includes(type)))
        await refused(notReadable, 'POST', path, { by: name })
    },
  },
  {
    name: 'saved view',
    covers: [],
    async ask({ send, hides, wrong, world: { ids, views } }, it) {
      const view = views.get(it.resource.id)
      if (!view) return
      const { status, text: body } = await send('GET', `${baseOf(it)}?view=${view.id}&limit=200&count=exact`)
      // Which rows have a value in it is what the filter says.
      const { data = [], page, view: used } = JSON.parse(body) as Viewed
      // Where a resource has a list of its own, it knows no views.
      if (status === 200 && used && hides(view.field) && (data.length > 0 || page?.count !== 0))
        wrong(`lists ${it.resource.id} by ${view.field}`)
      // The view's own name and what it goes by are fields of a record, too.
      if (it.resource.id === 'core.account') await send('GET', `${baseOf(it)}?view=${ids.get('core.view')}`)
    },
  },
  {
    name: 'search',
    covers: ['POST /query'],
    async ask({ send }, it) {
      const fields = [...it.resource.fields.values()]
      for (const word of wordsOf(it, fields).slice(0, 3)) {
        await send('GET', `/api/core/search?q=${text(word)}`)
        await send('GET', `${baseOf(it)}?q=${text(word)}`)
      }
    },
  },
  {
    name: 'picker',
    covers: [],
    async ask({ send }, it) {
      const title = String(it.record[it.resource.title] ?? '')
      await send('GET', `/api/core/search?q=${text(title.slice(0, 5))}&type=${it.resource.id}`)
      await send('GET', `${baseOf(it)}?q=${text(title.slice(0, 5))}&fields=id`)
    },
  },
  {
    name: 'related',
    covers: [],
    async ask({ send, open, closed, masked, refused }, it) {
      const points = ({ target, name }: FieldModel) => target !== undefined && name !== 'id'
      await send('GET', `${baseOf(it)}/${it.id}?include=${named(open.filter(points))},owner,createdBy`)
      await send('GET', `${baseOf(it)}?include=${named(open.filter(points))}&limit=200`)
      for (const { name } of [...closed, ...masked].filter(points))
        await refused(notReadable, 'GET', `${baseOf(it)}/${it.id}?include=${name}`)
    },
  },
  {
    name: 'timeline',
    covers: ['GET /:id/timeline'],
    async ask({ send }, it) {
      if (!it.resource.options.timeline) return
      await send('GET', `${baseOf(it)}/${it.id}/timeline`)
      await send('GET', `${baseOf(it)}/${it.id}?timeline=first`)
    },
  },
  {
    name: 'history',
    covers: ['GET /:id/history', 'GET /:id/merges'],
    async ask({ send }, it) {
      await send('GET', `${baseOf(it)}/${it.id}/history`)
      await send('GET', `${baseOf(it)}/${it.id}/merges`)
    },
  },
  {
    name: 'as-of',
    covers: [],
    async ask({ send, world: { earlier }, closed, refused }, it) {
      await send('GET', `${baseOf(it)}/${it.id}?asOf=${earlier}`)
      await send('GET', `${baseOf(it)}?asOf=${earlier}&limit=200`)
      const [first] = closed
      if (first) await refused(notReadable, 'GET', `${baseOf(it)}?asOf=${earlier}&sort=${first.name}`)
    },
  },
  {
    name: 'duplicates',
    covers: ['GET /duplicates', 'POST /duplicates', 'GET /:id/duplicates'],
    async ask({ send }, it) {
      if (it.resource.options.readonly) return
      await send('GET', `${baseOf(it)}/duplicates`)
      await send('GET', `${baseOf(it)}/${it.id}/duplicates`)
      const { id: _, version: __, ...values } = it.record
      await send('POST', `${baseOf(it)}/duplicates`, values)
    },
  },
  {
    name: 'export',
    covers: [],
    async ask({ send, isThorough, open, masked }, it) {
      const fields = [...open, ...masked].map(({ name }) => name)
      for (const format of isThorough ? ['csv', 'json'] : ['csv'])
        await send('POST', '/api/core/exports', {
          resource: it.resource.id,
          format,
          ...(fields.length > 0 ? { fields } : {}),
        })
    },
    async fetch({ send, work, client, hear }, it) {
      await work()
      const { text: body } = await send('GET', '/api/core/exports')
      const { data = [] } = JSON.parse(body) as { data?: { id: string; resource: string }[] }
      for (const { id } of data.filter(({ resource }) => resource === it.resource.id)) {
        await send('GET', `/api/core/exports/${id}`)
        const file = await client.raw('GET', `/api/core/exports/${id}/file`)
        if (/csv|json/.test(file.headers.get('content-type') ?? '')) hear('export file', await file.text())
      }
    },
  },
  fileChannel('XLSX', 'xlsx', ['core.account', 'core.invoice', 'sales.opportunity']),
  fileChannel('vCard', 'vcard', ['core.account', 'core.contact', 'core.lead']),
  {
    name: 'error text',
    covers: [
      'POST',
      'PATCH /:id',
      'DELETE /:id',
      'POST /:id/restore',
      'POST /bulk',
      'POST /:id/merge',
      'POST /:id/unmask',
    ],
    tellsNothing: true,
    refusesOnly: true,
    async ask({ send, closed, masked, refused, world }, it) {
      const { version } = it.record
      // Where a resource is changed by routes of its own, they refuse in their own order.
      if (channelled(it))
        for (const { name } of [...closed, ...masked])
          await refused(notReadable, 'PATCH', `${baseOf(it)}/${it.id}`, { version, [name]: null })
      if (masked[0])
        await refused(403, 'POST', `${baseOf(it)}/${it.id}/unmask`, { field: masked[0].name, reason: 'Curious' })
      // Of the version before, what clashes is told; of the record itself, what stands in the way.
      await send('PATCH', `${baseOf(it)}/${it.id}`, { version: version - 1, owner: null })
      await send('DELETE', `${baseOf(it)}/${it.id}?version=${version - 1}`)
      const { id: _, version: __, ...values } = it.record
      await send('POST', baseOf(it), { ...values, id: it.id })
      await send('POST', baseOf(it), {})
      await send('POST', `${baseOf(it)}/bulk`, { update: [{ id: it.id, version: version - 1, owner: null }] })
      await send('POST', `${baseOf(it)}/bulk`, { ids: [it.id], set: { team: null }, preview: true })
      const twin = world.twins.get(it.resource.id)
      if (twin === undefined) return
      // Half of a merge is told beforehand, and of what changed meanwhile, what it is called.
      for (const seen of [version, version - 1])
        for (const preview of [true, false])
          if (preview || seen !== version)
            await send('POST', `${baseOf(it)}/${it.id}/merge`, {
              version: seen,
              others: [{ id: twin, version: 1 }],
              preview,
            })
    },
  },
  {
    name: 'import',
    covers: [],
    tellsNothing: true,
    async ask({ send, client, work, open }, it) {
      // A rehearsal says what each line would change, and from what.
      if (it.resource.id !== 'core.account' || !open.some(({ name }) => name === 'name')) return
      const importing = new Importing(client, work)
      const sent = await importing.send('core.account', `name,phone,city\n${String(it.record['name'])},1,Elsewhere\n`)
      if (sent.status !== 201) return
      const { id } = sent.body.data as { id: string }
      await send('PATCH', `/api/core/imports/${id}`, { key: 'name' })
      await send('POST', `/api/core/imports/${id}/rehearse`)
      await work()
      for (const path of ['', '/rows', '/diff.ndjson', '/errors.csv', '/kept'])
        await send('GET', `/api/core/imports/${id}${path}`)
    },
  },
  {
    name: 'audit',
    covers: [],
    ask: async ({ send }, it) => void (await send('GET', `/api/core/audit?resource=${it.resource.id}&limit=200`)),
  },
  {
    name: 'events',
    covers: [],
    tellsNothing: true,
    async ask({ send }, it) {
      await send('GET', `/api/core/events?record=${it.id}&limit=200`)
      for (const state of ['waiting', 'held', 'dead', 'blocked'])
        await send('GET', `/api/core/events/deliveries?state=${state}&record=${it.id}`)
    },
  },
  {
    name: 'sharing',
    covers: [],
    tellsNothing: true,
    async ask({ send, closed: [field] }, it) {
      await send('GET', `/api/core/shares/of/${it.resource.id}/${it.id}`)
      const what = `resource=${it.resource.id}&record=${it.id}`
      await send('GET', `/api/core/explain?${what}&action=read${field ? `&field=${field.name}` : ''}`)
      await send('GET', `/api/core/explain/readers?${what}`)
    },
  },
]

/** Addresses of a resource that no channel of the table asks, each with why none of its values can come from it. */
export const elsewhere: Readonly<Record<string, string>> = {
  'POST /duplicates/scan': 'Answers the id of a job.',
  'POST /duplicates/decide': 'Answers nothing.',
}

/** Addresses beside the resources', by what asks them or why nobody need; `…` stands for all that begin so. */
export const further: Readonly<Record<string, string>> = {
  'ALL /*': 'Counts requests.',
  'ALL /api/:plugin/*': 'Hands on to the addresses below.',
  'ALL /p/…': 'Hands on to public pages.',
  'GET /*': 'The shell’s page, alike for everybody.',
  'GET /assets/*': 'The shell’s files, alike for everybody.',
  'GET /healthz': 'Before anybody is known.',
  'GET /readyz': 'Before anybody is known.',
  'GET /metrics': 'Counts of requests, for whoever brings the deployment’s token.',
  'GET /api/core/boot': 'Words, before anybody is known.',
  'ALL /api/auth/…': 'One’s own sign-in.',
  'ALL /api/core/me/…': 'One’s own account.',
  'ALL /api/core/workspaces': 'Companies one is a member of.',
  'GET /api/core/me': 'One’s own account.',
  'PATCH /api/core/me': 'One’s own account.',
  'GET /api/core/shell': 'asked',
  'GET /api/core/live': 'asked',
  'GET /api/core/openapi.json': 'asked',
  'GET /api/core/reference': 'asked',
  'GET /api/core/search': 'asked',
  'GET /api/core/audit': 'asked',
  'GET /api/core/events': 'asked',
  'GET /api/core/events/deliveries': 'asked',
  'GET /api/core/events/subscribers': 'Modules, and counts.',
  'POST /api/core/events/…': 'Answers counts, or the id of a job.',
  'GET /api/core/imports': 'asked',
  'GET /api/core/exports': 'asked',
  'GET /api/core/explain': 'asked',
  'GET /api/core/explain/readers': 'asked',
  'GET /api/core/shares/…': 'asked',
  'GET /api/core/users/…': 'asked',
  'GET /api/core/teams/:id/memberships': 'asked',
  'ALL /api/core/view-as': 'Whose eyes one looks through; view-as.test.ts.',
  'ALL /api/core/identity-providers/…': 'For who manages people.',
  'GET /api/core/audit/verification': 'Counts and digests.',
  'GET /api/core/imports/…': 'asked',
  'POST /api/core/imports/…': 'asked',
  'PATCH /api/core/imports/:id': 'asked',
  'DELETE /api/core/imports/:id': 'Answers nothing.',
  'GET /api/core/exports/…': 'asked',
  'POST /api/core/exports/…': 'asked',
  'DELETE /api/core/exports/:id': 'Answers nothing.',
  'GET /api/core/bulks': 'Counts of what one set going oneself.',
  'GET /api/core/bulks/…':
    'The rows of a bulk change: ids, versions and refusals, which the sample of its preview shows too.',
  'POST /api/core/bulks/…': 'Answers the state of a bulk change.',
  'POST /api/core/change-sets/:id/undo': 'Names fields, no values.',
  'POST /api/core/merges/:id/undo': 'Names fields, no values.',
  'POST /api/core/known-accounts': 'One word of three; known-accounts.test.ts.',
  'POST /api/core/imports': 'asked',
  'POST /api/core/exports': 'asked',
  'POST /api/core/users/…': 'For who manages people, whose own rights say so; answers the person.',
  'PUT /api/core/users/…': 'For who manages people; answers roles and teams.',
  'DELETE /api/core/users/…': 'For who manages people.',
  'POST /api/core/teams/…': 'For who manages people.',
  'PUT /api/core/teams/…': 'For who manages people.',
  'PATCH /api/core/teams/…': 'For who manages people.',
  'DELETE /api/core/teams/…': 'For who manages people.',
  'POST /api/core/api-keys/…': 'For who manages keys.',
  'DELETE /api/core/api-keys/…': 'For who manages keys.',
  'POST /api/core/leads/:id/convert': 'masked-fields.test.ts',
  'POST /api/core/leads/:id/revert': 'Answers the lead as every write does.',
  'POST /api/core/invoices/:id/cancel': 'Answers both invoices as every write does.',
  'PUT /api/core/views/:id/choice': 'Answers one’s own choice.',
  'GET /api/core/demo': 'A flag.',
  'POST /api/core/demo/remove': 'A job, for who manages the workspace.',
  'GET /api/core/platform-map': 'Modules, and what they declare.',
  'GET /api/core/plugins': 'Modules.',
  'GET /api/core/plugins/…': 'Modules, and counts.',
  'POST /api/core/plugins/…': 'Modules.',
  'PATCH /api/core/plugins/…': 'Modules, for who sets them.',
  'POST /api/core/plugin-uploads': 'What an archive says of itself.',
  'GET /api/core/plugin-uploads/…': 'What an archive says of itself.',
  'POST /api/core/plugin-uploads/…': 'Modules.',
  'DELETE /api/core/plugin-uploads/:id': 'Answers nothing.',
  'GET /api/core/plugin-archives': 'Archives, and counts.',
  'POST /api/core/plugin-archives': 'What an archive says of itself.',
  'GET /api/core/plugin-archives/:id/file': 'All a module had, for who may destroy it.',
  'DELETE /api/core/plugin-archives/:id': 'Answers nothing.',
  'GET /api/core/permissions': 'What roles may be given: names of fields.',
  'GET /api/core/workspace': 'asked',
  'PATCH /api/core/workspace': 'The company’s settings, for who manages them.',
  'GET /api/core/jobs/…': 'One’s own jobs.',
  'POST /api/core/jobs/…': 'One’s own jobs.',
  'GET /api/core/privacy/…': 'For who manages privacy: a person’s data whole, whatever a role hides.',
  'POST /api/core/privacy/…': 'For who manages privacy: a person’s data whole, whatever a role hides.',
}
