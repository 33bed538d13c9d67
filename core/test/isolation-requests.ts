import fc from 'fast-check'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import type { FieldModel, ResourceModel } from '../src/records/model.ts'
import type { TestClient } from '../src/testing/index.ts'
import { canary, owners, type Ids, type IsolationWorld, type Route, type Side } from './isolation-world.ts'

/** One request as it was drawn; what it names of a record made on the way is filled in when it is sent. */
export interface Wanted {
  readonly method: string
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
}

/** Stands for the id of the record made last. */
const lastMade = '«made»'
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi

type Arbitrary<T = unknown> = fc.Arbitrary<T>
type JsonSchema = Readonly<Record<string, unknown>>

/** Requests of any kind to any route, made of what both sides have. */
export function requests(world: IsolationWorld, side: Side): Arbitrary<Wanted> {
  const draw = new Draw(world, side)
  return fc.constantFrom(...world.routes).chain((route) => draw.request(route))
}

class Draw {
  readonly #side: Side
  readonly #resources: readonly ResourceModel[]
  readonly #words: Arbitrary<string>

  constructor({ app }: IsolationWorld, side: Side) {
    this.#side = side
    this.#resources = app.app.kernel.parts.catalog.all()
    this.#words = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...owners.map(canary), 'Opened to Atlas', 'Something new') },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          ...owners.map((name) => `${canary(name)}@example.com`),
          ...owners.map((name) => `${canary(name)}.example`),
          '732829320',
          '01 42 68 53 00',
          '2026-03-02',
          '2026-03-02T09:00:00Z',
          '10',
        ),
      },
      { weight: 1, arbitrary: fc.constantFrom('-1', '', "'; select 1 --", '%', '\u0000', 'é'.repeat(300)) },
    )
  }

  request(route: Route): Arbitrary<Wanted> {
    const resource = this.#resources.find(({ plugin, path }) => isBelow(route.path, `/api/${plugin}/${path}`))
    const path = fc
      .tuple(
        ...route.path.split('/').map((part) => {
          if (!part.startsWith(':')) return fc.constant(part)
          return this.id(resource ? tableOf(resource) : tableIn(this.#side, route.path))
        }),
      )
      .map((parts) => parts.map((part) => (part === lastMade ? part : encodeURIComponent(part))).join('/'))
    return fc.record({
      method: fc.constant(route.method),
      path,
      query: route.method === 'GET' || route.query ? this.query(route, resource) : fc.constant([]),
      body: route.method === 'GET' ? fc.constant(undefined) : this.body(route, resource),
      headers: this.headers(),
    })
  }

  /** Of the wanted kind more often than not, so that a request gets beyond "not found". */
  id(table?: string): Arbitrary<string> {
    const of = (ids: Ids): readonly string[] => (table === undefined ? [] : (ids.get(table) ?? []))
    const any = (ids: Ids): readonly string[] => [...ids.values()].flat()
    const some = (weight: number, values: readonly string[]) =>
      values.length === 0 ? [] : [{ weight, arbitrary: fc.constantFrom(...values) }]
    return fc.oneof(
      ...some(6, of(this.#side.foreign)),
      ...some(6, of(this.#side.own)),
      ...some(1, any(this.#side.foreign)),
      ...some(1, any(this.#side.own)),
      { weight: 2, arbitrary: fc.constant(lastMade) },
      { weight: 1, arbitrary: fc.constant('').map(() => uuidv7()) },
      { weight: 1, arbitrary: fc.constantFrom('x', '00000000-0000-0000-0000-000000000000', "'", '..') },
    )
  }

  filter(resource: ResourceModel | undefined): Arbitrary<string> {
    const fields = resource ? [...resource.fields.values()] : []
    const references = fields.filter(({ target }) => target !== undefined)
    const name = fc.constantFrom(...fields.map((field) => field.name), 'id', 'createdBy', 'owner', 'deletedAt')
    const paths = references.flatMap((field) => [`${field.name}.name`, `${field.name}.id`, `${field.name}.owner.email`])
    const collections = resource ? [...resource.collections.keys()] : []
    return fc.oneof(
      fc.tuple(name, fc.constantFrom('=', '!=', '~', '>'), this.#words).map(([a, b, c]) => `${a} ${b} "${c}"`),
      fc.tuple(name, this.id()).map(([a, b]) => `${a} = "${b}"`),
      ...(paths.length > 0 ? [fc.tuple(fc.constantFrom(...paths), this.#words).map(([a, b]) => `${a} ~ "${b}"`)] : []),
      ...(collections.length > 0
        ? [
            fc.tuple(fc.constantFrom(...collections), this.#words).map(([a, b]) => `any(${a}, name ~ "${b}")`),
            fc.constantFrom(...collections).map((a) => `count(${a}) > 0`),
          ]
        : []),
    )
  }

  query(route: Route, resource: ResourceModel | undefined): Arbitrary<(readonly [string, string])[]> {
    if (route.query)
      return this.ofSchema(jsonSchema(route.query)).map((value) =>
        Object.entries((value ?? {}) as object).map(([key, it]) => [key, String(it)] as const),
      )
    const fields = resource ? [...resource.fields.keys()] : ['name']
    const parameter = fc.oneof(
      fc.tuple(fc.constant('filter'), this.filter(resource)),
      fc.tuple(fc.constantFrom('q', 'type', 'resource', 'state', 'actor', 'phase'), this.#words),
      fc.tuple(fc.constant('sort'), fc.constantFrom(...fields.flatMap((it) => [it, `-${it}`]))),
      fc.tuple(fc.constant('after'), this.cursor()),
      fc.tuple(fc.constantFrom('fields', 'include'), fc.constantFrom(...fields, 'account,owner', 'nothing')),
      fc.tuple(fc.constant('count'), fc.constantFrom('exact', 'estimate', 'none')),
      fc.tuple(fc.constant('deleted'), fc.constant('only')),
      fc.tuple(fc.constant('view'), this.id('core.view')),
      fc.tuple(
        fc.constant('asOf'),
        fc.constantFrom('2026-03-02T09:00:00Z', '2026-03-02T08:00:00Z', '2027-01-01T00:00:00Z'),
      ),
      fc.tuple(fc.constant('version'), fc.constantFrom('1', '2', '3')),
      fc.tuple(fc.constant('limit'), fc.constantFrom('1', '200', '0')),
    )
    return fc.uniqueArray(parameter, { maxLength: 3, selector: ([key]) => key })
  }

  cursor(): Arbitrary<string> {
    return fc.oneof(fc.constantFrom(...this.#side.foreignCursors), this.#words)
  }

  headers(): Arbitrary<Record<string, string>> {
    return fc.oneof(
      { weight: 6, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom(...this.#side.foreignKeys, 'key-atlas')
          .map((key) => ({ 'idempotency-key': key }) as Record<string, string>),
      },
      {
        weight: 1,
        arbitrary: this.id('core.workspace').map((it) => ({ 'x-workspace': it }) as Record<string, string>),
      },
      { weight: 1, arbitrary: fc.constantFrom('"1"', '"2"').map((it) => ({ 'if-match': it })) },
    )
  }

  body(route: Route, resource: ResourceModel | undefined): Arbitrary {
    const said = route.body ? this.ofSchema(jsonSchema(route.body)) : undefined
    const last = route.path.split('/').at(-1) ?? ''
    const known = resource ? this.#ofResource(route.method === 'PATCH' ? 'update' : last, resource) : undefined
    const usual = said ?? known ?? this.#anything()
    return fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: this.#anything() })
  }

  /** Bodies of the routes every resource has, by the last part of their address. */
  #ofResource(last: string, resource: ResourceModel): Arbitrary {
    const table = tableOf(resource)
    const target = fc.record({ id: this.id(table), version: fc.constantFrom(1, 2, 3) })
    const record = this.#record(resource)
    const names = fc.array(fc.constantFrom(...resource.fields.keys()), { maxLength: 3 })
    const asked = {
      filter: this.filter(resource),
      q: this.#words,
      asOf: fc.constantFrom('2026-03-02T09:00:00Z', '2026-03-02T08:00:00Z'),
    }
    const some = (shape: Record<string, Arbitrary>, required: readonly string[] = []) =>
      fc.record(shape, { requiredKeys: [...required] })
    switch (last) {
      case 'query':
        return some({
          ...asked,
          sort: fc.constantFrom(...resource.fields.keys()),
          after: this.cursor(),
          fields: names,
          include: names,
          count: fc.constant('exact'),
          deleted: fc.constant('only'),
          view: this.id('core.view'),
        })
      case 'aggregate':
        return some(
          {
            ...asked,
            groupBy: names,
            measures: fc.constantFrom(['count'], ['count', 'sum:amount'], ['max:createdAt', 'min:name']),
          },
          ['measures'],
        )
      case 'board':
        return some(
          {
            ...asked,
            by: fc.constantFrom(...resource.fields.keys()),
            measures: fc.constant(['count']),
            include: names,
          },
          ['by'],
        )
      case 'bulk':
        return fc.oneof(
          some({
            create: fc.array(record, { maxLength: 2 }),
            update: fc.array(
              fc.tuple(target, record).map(([it, values]) => ({ ...values, ...it })),
              { maxLength: 3 },
            ),
            delete: fc.array(target, { maxLength: 2 }),
            atomic: fc.boolean(),
          }),
          some(
            {
              ids: fc.array(this.id(table), { minLength: 1, maxLength: 4 }),
              set: record,
              preview: fc.boolean(),
              background: fc.boolean(),
            },
            ['ids', 'set'],
          ),
          some({ filter: asked.filter, set: record, preview: fc.boolean() }, ['filter', 'set']),
          some({ ids: fc.array(this.id(table), { minLength: 1, maxLength: 4 }), delete: fc.constant(true) }, [
            'ids',
            'delete',
          ]),
        )
      case 'merge':
        return some(
          {
            version: fc.constantFrom(1, 2),
            others: fc.array(target, { minLength: 1, maxLength: 3 }),
            choose: fc.dictionary(fc.constantFrom(...resource.fields.keys()), this.id(table), { maxKeys: 2 }),
            preview: fc.boolean(),
          },
          ['version', 'others'],
        )
      case 'decide':
        return some({ a: this.id(table), b: this.id(table), decision: fc.constantFrom('different', 'same') })
      case 'update':
        return fc.tuple(record, fc.constantFrom(1, 2, 3)).map(([values, version]) => ({ ...values, version }))
      default:
        return record
    }
  }

  #record(resource: ResourceModel): Arbitrary<Record<string, unknown>> {
    const values = Object.fromEntries(
      [...resource.fields.values()]
        .filter(({ readonly, name }) => !readonly && name !== 'id')
        .map((field) => [field.name, this.#value(field)] as const),
    )
    const title = resource.fields.get(resource.title)?.type === 'text' ? [resource.title] : []
    return fc
      .tuple(
        fc.record({ [resource.title]: this.#words, allowDuplicate: fc.constant(true) }, { requiredKeys: title }),
        fc
          .subarray(Object.keys(values), { maxLength: Math.min(4, Object.keys(values).length) })
          .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, values[name]!])))),
        fc.oneof({ weight: 6, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.record({ id: this.id() }) }),
      )
      .map(([base, rest, id]) => ({ ...base, ...rest, ...id }))
  }

  #value(field: FieldModel): Arbitrary {
    const target = field.target && this.#resources.find(({ id }) => id === field.target)
    if (target) return fc.oneof(this.id(tableOf(target)), fc.constant(null))
    if (field.targetIn !== undefined || field.name === 'partner') return this.id()
    if (field.options) return fc.constantFrom(...field.options.map(({ value }) => value), 'nothing')
    switch (field.type) {
      case 'boolean':
        return fc.boolean()
      case 'integer':
        return fc.integer({ min: -1, max: 20 })
      case 'json':
        return this.#anything()
      default:
        return fc.oneof(this.#words, fc.constantFrom('1', '2026-03-02', null))
    }
  }

  /** What a schema lets in, and now and then what it does not. */
  ofSchema(schema: JsonSchema, depth = 0): Arbitrary {
    const either = (schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf']) as JsonSchema[] | undefined
    if (either) return fc.oneof(...either.map((it) => this.ofSchema(it, depth)))
    if (schema['const'] !== undefined) return fc.constant(schema['const'])
    if (schema['enum']) return fc.constantFrom(...(schema['enum'] as unknown[]))
    switch (schema['type']) {
      case 'object': {
        const shape = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)
        const required = (schema['required'] ?? []) as string[]
        if (shape.length === 0) return this.#anything()
        return fc.record(Object.fromEntries(shape.map(([key, it]) => [key, this.#named(key, it, depth + 1)])), {
          requiredKeys: required.filter((key) => shape.some(([name]) => name === key)),
        })
      }
      case 'array':
        return fc.array(this.ofSchema((schema['items'] ?? {}) as JsonSchema, depth + 1), { maxLength: 3 })
      case 'boolean':
        return fc.boolean()
      case 'integer':
      case 'number':
        return fc.integer({ min: 0, max: 50 })
      case 'null':
        return fc.constant(null)
      case 'string':
        return schema['format'] === 'uuid'
          ? this.id()
          : schema['format'] === 'email'
            ? fc.constantFrom(...owners.map((name) => `${canary(name)}@example.com`))
            : fc.oneof(this.#words, this.id())
      default:
        return depth > 3 ? fc.constant(null) : this.#anything()
    }
  }

  /** A value that its name says more of than its schema. */
  #named(name: string, schema: JsonSchema, depth: number): Arbitrary {
    if (name === 'resource') return fc.constantFrom(...this.#resources.map(({ id }) => id))
    if (['person', 'record'].includes(name)) return this.id('core.contact')
    if (name === 'version') return fc.constantFrom(1, 2, 3)
    const table = this.#resources.find(({ entity }) => entity === name)
    if (table && schema['format'] === 'uuid') return this.id(tableOf(table))
    return this.ofSchema(schema, depth)
  }

  #anything(): Arbitrary {
    const key = fc.constantFrom(
      'id',
      'ids',
      'resource',
      'record',
      'filter',
      'account',
      'to',
      'name',
      'format',
      'fields',
    )
    const value = fc.oneof(
      this.#words,
      this.id(),
      fc.array(this.id(), { maxLength: 3 }),
      fc.constantFrom(...this.#resources.map(({ id }) => id), 'csv', 'json', null, 1, true),
    )
    return fc.dictionary(key, value, { maxKeys: 5 })
  }
}

const jsonSchema = (schema: unknown): JsonSchema =>
  z.toJSONSchema(schema as z.ZodType, { io: 'input', unrepresentable: 'any' }) as JsonSchema

const isBelow = (path: string, base: string) => path === base || path.startsWith(`${base}/`)
const tableOf = ({ schema, table }: ResourceModel) => `${schema}.${table}`

/** The table whose rows an address of the platform's own means: `/change-sets/:id` those of `core.change_set`. */
function tableIn({ own, foreign }: Side, path: string): string | undefined {
  const parts = path.split('/')
  const noun = parts[parts.findIndex((part) => part.startsWith(':')) - 1] ?? ''
  const name = noun.replaceAll('-', '_').replace(/s$/, '')
  const tables = [...new Set([...own.keys(), ...foreign.keys()])]
  return tables.find((table) => table.split('.')[1] === name) ?? tables.find((table) => table.includes(name))
}

interface Memory {
  readonly made: string[]
}

interface Plain {
  readonly method: string
  readonly path: string
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
}

/** Sends a request and answers what was wrong with its answer, in words. */
export async function send(client: TestClient, side: Side, wanted: Wanted, memory: Memory): Promise<string[]> {
  const plain = filledIn(wanted, memory)
  const answer = await ask(client, plain)
  const carried = JSON.stringify(plain).toLowerCase()
  const told = answer.text.toLowerCase()
  const faults: string[] = []
  const where = `${plain.method} ${plain.path} ${JSON.stringify(plain.body)} ${JSON.stringify(plain.headers)}`
  const blame = (what: string) => faults.push(`${what}: ${where} → ${answer.status} ${answer.text.slice(0, 600)}`)
  if (answer.status >= 500) blame('a failure')
  for (const secret of side.secrets) if (told.includes(secret)) blame(`tells ${secret}`)
  for (const id of new Set(told.match(uuid)))
    if (side.foreignIds.has(id) && !carried.includes(id)) blame(`tells the id ${id}`)
  if (answer.status < 300 && plain.method === 'POST') memory.made.push(...firstId(answer.text))
  const twin = plain.path.startsWith('/metrics') ? undefined : twinOf(plain, side)
  if (twin && (answer.status >= 400 || plain.method === 'GET')) {
    const other = await ask(client, twin)
    if (shapeOf(other) !== shapeOf(answer))
      blame(`is answered otherwise than one that never was (${other.status} ${other.text.slice(0, 300)})`)
  }
  return faults
}

function filledIn({ method, path, query, body, headers }: Wanted, { made }: Memory): Plain {
  const id = made.at(-1) ?? '0193d1a2-0000-7000-8000-0000000000ff'
  const search = new URLSearchParams(
    query.map(([key, value]): [string, string] => [key, value.replaceAll(lastMade, id)]),
  )
  const text = body === undefined ? undefined : JSON.stringify(body).replaceAll(lastMade, id)
  return {
    method,
    path: `${path.replaceAll(lastMade, id)}${query.length > 0 ? `?${search}` : ''}`,
    body: text === undefined ? undefined : JSON.parse(text),
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, value.replaceAll(lastMade, id)])),
  }
}

async function ask(
  client: TestClient,
  { method, path, body, headers }: Plain,
): Promise<{ status: number; text: string }> {
  const response = await client.raw(method, path, body, headers)
  const heads = [...response.headers].map(([key, value]) => `${key}: ${value}`).join('\n')
  return { status: response.status, text: `${await response.text()}\n${heads}` }
}

/** The same request about records that never were; undefined where it names none of the others'. */
function twinOf(plain: Plain, { foreignIds, foreignCursors }: Side): Plain | undefined {
  const text = JSON.stringify(plain)
  const named = [...new Set(text.toLowerCase().match(uuid))].filter((id) => foreignIds.has(id))
  if (named.length === 0 || foreignCursors.some((cursor) => text.includes(cursor))) return undefined
  // Who makes an id knows it: that it is taken is told, and not by whom.
  const { id, create } = (plain.body ?? {}) as { id?: string; create?: { id?: string }[] }
  if ([id, ...(Array.isArray(create) ? create.map((it) => it.id) : [])].some((it) => it && foreignIds.has(it)))
    return undefined
  let twin = text
  for (const it of named) twin = twin.replaceAll(new RegExp(it, 'gi'), uuidv7())
  return JSON.parse(twin) as Plain
}

const shapeOf = ({ status, text }: { status: number; text: string }) =>
  `${status} ${text
    .replaceAll(uuid, 'id')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]*…/g, '…')
    .replaceAll(/"(requestId|at)":"[^"]*"/g, '')}`

function firstId(text: string): string[] {
  const id = /"id":"([0-9a-f-]{36})"/.exec(text)?.[1]
  return id === undefined ? [] : [id]
}
