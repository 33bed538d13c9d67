import { setTimeout as pause } from 'node:timers/promises'
import { canariesIn } from './leak-canaries.ts'
import { channels, elsewhere, further, type Asking, type Channel, type Heard } from './leak-channels.ts'
import type { Cell, LeakWorld, Specimen } from './leak-world.ts'
import type { TestClient } from '../src/testing/index.ts'

/** What somebody may know of a field. */
export type Sight = 'value' | 'mask' | 'nothing'

export interface Reader {
  readonly name: string
  readonly client: TestClient
  /** What the reader may know of a field of a record within reach. */
  sees(cell: Cell): Sight
  /** Whether every record is within reach, however little may be read of it. */
  readonly reachesAll: boolean
  /** Whether each field is asked about by itself too, not only with its record. */
  readonly asksEachField: boolean
}

/** Every field of every resource by every channel as every reader: what came out that should not have. */
export class LeakMatrix {
  readonly #world: LeakWorld
  readonly #byId: ReadonlyMap<string, Specimen>
  readonly #found = new Set<string>()
  /** Answers with status 200 by channel and reader. */
  readonly answered = new Map<string, number>()
  /** Cells whose canary came out by a channel, as reader by reader saw it. */
  readonly seen = new Map<string, Set<string>>()

  constructor(world: LeakWorld) {
    this.#world = world
    this.#byId = new Map(world.specimens.map((specimen) => [specimen.id, specimen]))
  }

  /** What came out since it was last asked, and what failed or was not refused: `reader: list: GET /… tells core.account.email`. */
  found(): string[] {
    const found = [...this.#found]
    this.#found.clear()
    return found
  }

  /** Asks a channel about every specimen, or about those of one resource. */
  async ask(channel: Channel, reader: Reader, resource?: string): Promise<void> {
    if (channel.refusesOnly && reader.client === this.#world.app.admin) return
    const asked = this.#world.specimens.filter((it) => resource === undefined || it.resource.id === resource)
    for (const specimen of asked) await channel.ask(this.#asking(channel.name, reader, specimen), specimen)
    for (const specimen of asked) await channel.fetch?.(this.#asking(channel.name, reader, specimen), specimen)
  }

  /** The documents that are about all resources at once, and what a reader hears while records change. */
  async askWhole(reader: Reader): Promise<void> {
    const { send, hear } = this.#asking('documents', reader, this.#world.specimens[0]!)
    for (const path of [
      'shell',
      'openapi.json',
      'reference',
      'workspace',
      'me',
      'permissions',
      'imports',
      'exports',
      'shares/with-me',
    ])
      await send('GET', `/api/core/${path}`)
    const { ids } = this.#world
    for (const path of ['records', 'sessions', 'access'])
      await send('GET', `/api/core/users/${ids.get('core.user')}/${path}`)
    await send('GET', `/api/core/teams/${ids.get('core.team')}/memberships`)
    const { plugins } = this.#world.app.app.kernel.parts
    for (const plugin of plugins.filter(({ id }) => id !== 'core')) {
      for (const route of (plugin.routes ?? []).filter(({ method }) => method === 'get')) {
        // Whatever a plugin's route answers is looked at, with the id of every record there is.
        for (const id of route.path.includes('/:') ? ids.values() : [''])
          await send('GET', `/api/${plugin.id}${route.path.replaceAll(/:\w+/g, id)}`)
      }
    }
    hear('log', this.#world.logged())
  }

  /** What each reader hears on the live stream while all specimens change: the record is told, and no more than that. */
  async listen(listeners: readonly Reader[], change: () => Promise<void>): Promise<void> {
    const ending = new AbortController()
    const heard = await Promise.all(
      listeners.map(async ({ client }) => {
        const { body } = await client.raw('GET', '/api/core/live')
        const lines: string[] = []
        const reading = body!
          .pipeThrough(new TextDecoderStream() as never)
          .pipeTo(new WritableStream({ write: (chunk) => void lines.push(String(chunk)) }), { signal: ending.signal })
          .catch(() => undefined)
        return { lines, reading }
      }),
    )
    const told = ({ lines }: { lines: readonly string[] }) =>
      new Set([...lines.join('').matchAll(/"id":"([\w-]{36})"/g)].map(([, id]) => id!))
    await change()
    const last = this.#world.specimens.map(({ id }) => id)
    for (let tries = 0; tries < 200 && !last.every((id) => told(heard[0]!).has(id)); tries += 1) await pause(25)
    await pause(250)
    ending.abort()
    for (const [index, reader] of listeners.entries()) {
      const { lines, reading } = heard[index]!
      await reading
      this.answered.set(`live ${reader.name}`, told(heard[index]!).size)
      this.hear('live', reader, 'the live stream', lines.join(''))
      for (const { id, resource } of this.#world.specimens) {
        const cells = [...this.#world.cells.values()].filter((cell) => cell.resource === resource.id)
        const isOutOfReach =
          !reader.reachesAll && cells.length > 0 && cells.every((cell) => reader.sees(cell) === 'nothing')
        if (isOutOfReach && told(heard[index]!).has(id))
          this.#found.add(`${reader.name}: the live stream tells that ${resource.id} changed`)
      }
    }
  }

  /** Looks through what somebody heard. */
  hear(channel: string, reader: Reader, what: string, text: string): void {
    for (const canary of canariesIn(text)) {
      const cells = [...(this.#world.cellsOf.get(canary) ?? [])].map((id) => this.#world.cells.get(id)!)
      const may = cells.filter((cell) => reader.sees(cell) === 'value')
      if (cells.length > 0 && may.length === 0)
        this.#found.add(`${reader.name}: ${channel}: ${what} tells ${cells.map(({ id }) => id).join(' or ')}`)
      for (const { id } of may) this.#remember(channel, reader, id)
    }
  }

  #remember(channel: string, reader: Reader, cell: string): void {
    const key = `${channel} ${reader.name}`
    this.seen.set(key, (this.seen.get(key) ?? new Set()).add(cell))
  }

  #asking(channel: string, reader: Reader, specimen: Specimen): Asking {
    const cells = [...this.#world.cells.values()].filter(({ resource }) => resource === specimen.resource.id)
    const of = (sight: Sight) => cells.filter((cell) => reader.sees(cell) === sight).map(({ field }) => field)
    const each = (sight: Sight) => (reader.asksEachField ? of(sight) : [])
    const send = async (method: string, path: string, body?: unknown): Promise<Heard> => {
      const response = await reader.client.raw(method, path, body)
      const text = `${[...response.headers].join('\n')}\n\n${await response.clone().text()}`
      const what = `${method} ${path.replaceAll(specimen.id, ':id')}`
      if (response.status >= 500)
        this.#found.add(`${reader.name}: ${what} failed with ${response.status}: ${text.slice(-300)}`)
      if (response.ok)
        this.answered.set(`${channel} ${reader.name}`, (this.answered.get(`${channel} ${reader.name}`) ?? 0) + 1)
      // What was asked may be quoted: it is the reader's own.
      const asked = canariesIn(decodeURIComponent(path) + JSON.stringify(body ?? ''))
      const heard = response.ok ? text : withoutOwn(text, asked)
      this.hear(channel, reader, what, heard)
      if (/json/.test(response.headers.get('content-type') ?? ''))
        this.#lookFor(channel, reader, what, specimen, JSON.parse((await response.text()) || 'null'))
      return { status: response.status, text: text.slice(text.indexOf('\n\n') + 2) }
    }
    return {
      client: reader.client,
      isThorough: reader.asksEachField,
      world: this.#world,
      open: of('value'),
      closed: each('nothing'),
      masked: each('mask'),
      send,
      hear: (what, text) => this.hear(channel, reader, what, text),
      hides: (field) => {
        const cell = this.#world.cells.get(`${specimen.resource.id}.${field}`)
        return cell !== undefined && reader.sees(cell) !== 'value'
      },
      wrong: (what) => this.#found.add(`${reader.name}: ${channel}: ${what}`),
      refused: async (status, method, path, body) => {
        const answer = await send(method, path, body)
        if (
          answer.status !== status &&
          !(answer.status === 400 && /"QUERY_INVALID"|"EXPRESSION_INVALID"/.test(answer.text))
        )
          this.#found.add(
            `${reader.name}: ${method} ${path} ${JSON.stringify(body ?? '')} was answered ${answer.status}`,
          )
      },
      work: () => this.#world.app.app.jobs.runUntilIdle(),
    }
  }

  /** Values without a canary (choices, yes and no, references) are known by the name of their field beside the record's id. */
  #lookFor(channel: string, reader: Reader, what: string, asked: Specimen, body: unknown): void {
    const tell = (resource: string, name: string, value: unknown, isOutcome = false) => {
      const cell = this.#world.cells.get(`${resource}.${name}`)
      if (!cell || value === null || value === undefined || isOutcome) return
      const sight = reader.sees(cell)
      if (sight === 'nothing' || (sight === 'mask' && !(typeof value === 'string' && value.includes('•••'))))
        this.#found.add(
          `${reader.name}: ${channel}: ${what} tells ${cell.id} as ${JSON.stringify(value)?.slice(0, 40)}`,
        )
    }
    const walk = (node: unknown, resource: string): void => {
      if (Array.isArray(node)) return node.forEach((it) => walk(it, resource))
      if (typeof node !== 'object' || node === null) return
      const values = node as Readonly<Record<string, unknown>>
      const of = typeof values['resource'] === 'string' ? values['resource'] : resource
      const specimen = typeof values['id'] === 'string' ? this.#byId.get(values['id']) : undefined
      // What became of the row of a bulk change is called its status, whatever its record has.
      const isRow = 'problem' in values || 'index' in values
      const isLink = specimen !== undefined && values['resource'] === specimen.resource.id
      if (specimen && !isLink)
        for (const [name, value] of Object.entries(values))
          if (!isItself(value, specimen)) tell(specimen.resource.id, name, value, name === 'status' && isRow)
      if (typeof values['field'] === 'string' && ('old' in values || 'new' in values))
        for (const value of [values['old'], values['new']]) tell(of, values['field'], value)
      for (const value of Object.values(values)) walk(value, of)
    }
    walk(body, asked.resource.id)
  }
}

/** A timeline names the record its entry is about. */
function isItself(value: unknown, { id }: Specimen): boolean {
  return typeof value === 'object' && value !== null && (value as { id?: unknown }).id === id
}

/** A refusal may quote what was sent. */
function withoutOwn(text: string, asked: ReadonlySet<string>): string {
  let left = text
  for (const canary of asked) left = left.replaceAll(new RegExp(canary, 'gi'), '')
  return left
}

/** Addresses that neither a channel nor a reason knows, and those of the tables that are no more. */
export function unclassifiedRoutes({ app: { app } }: LeakWorld): string[] {
  const bases = app.kernel.parts.catalog.all().map(({ plugin, path }) => `/api/${plugin}/${path}`)
  const below = new Set([...channels.flatMap(({ covers }) => covers), ...Object.keys(elsewhere)])
  const declared = new Map(app.kernel.parts.plugins.map(({ id, routes }) => [id, routes ?? []]))
  return app.routes
    .filter(({ method, path }) => {
      const address = `${method} ${path}`
      const isFurther = Object.keys(further).some(
        (it) => it === address || (it.endsWith('…') && address.startsWith(it.slice(0, -1))),
      )
      // `askWhole` asks every GET of a plugin by itself.
      const [, , plugin = ''] = path.split('/')
      const isAsked =
        method === 'GET' && plugin !== 'core' && declared.get(plugin)?.some((it) => `/api/${plugin}${it.path}` === path)
      const base = bases
        .filter((it) => path === it || path.startsWith(`${it}/`))
        .toSorted((a, b) => b.length - a.length)[0]
      const isOfResource = base !== undefined && below.has(`${method} ${path.slice(base.length)}`.trim())
      return !isFurther && !isAsked && !isOfResource
    })
    .map(({ method, path }) => `${method} ${path}`)
}
