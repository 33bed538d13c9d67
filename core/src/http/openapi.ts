import { z } from 'zod'
import type { Locale, Workspace } from '../actor.ts'
import type { Parts } from '../parts.ts'
import type { Authority } from '../permissions/authority.ts'
import type { RouteDefinition } from '../plugins/define-plugin.ts'
import { platformVersion } from '../plugins/check-plugins.ts'
import { fieldTypes, type FieldKind } from '../records/field-types.ts'
import { fieldLabel } from '../records/labels.ts'
import type { FieldModel } from '../records/model.ts'
import type { Resource, Resources } from '../records/registry.ts'
import { aggregateBody, boardBody, bulkBody, queryBody, unmaskBody } from './resource-bodies.ts'

type Json = Readonly<Record<string, unknown>>

const problem = {
  description: 'A refusal',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

/** The API as OpenAPI 3.1, from the same metadata that runs it: only what the actor may use, only what is on here. */
export function openApiDocument(
  { plugins, words: usual }: Parts,
  catalog: Resources,
  { workspace, locale }: { workspace: Workspace; locale: Locale },
  authority: Authority,
  on: ReadonlySet<string>,
): Json {
  const words = usual.in(workspace)
  const paths: Record<string, Record<string, unknown>> = {}
  const schemas: Record<string, unknown> = { Problem: problemSchema, Page: pageSchema }
  for (const resource of catalog.all()) {
    if (!on.has(resource.plugin) || !authority.compile(resource, 'read').allowed) continue
    const name = words.say(locale, `${resource.id}.many`)
    schemas[resource.id] = recordSchema(resource, authority, (field) => fieldLabel(words, locale, resource.id, field))
    Object.assign(paths, resourcePaths(resource, name))
  }
  for (const plugin of plugins) {
    if (!on.has(plugin.id)) continue
    for (const route of plugin.routes ?? []) {
      const path = `/api/${plugin.id}${route.path}`.replaceAll(/:(\w+)/g, '{$1}')
      paths[path] = { ...paths[path], [route.method]: routeOperation(plugin.title[locale], route) }
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Socle',
      version: platformVersion,
      description: 'One grammar for every resource. Sign in, or send `Authorization: Bearer <API key>`.',
    },
    security: [{ key: [] }, { session: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'socle.session_token' },
      },
    },
  }
}

const problemSchema = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, code: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
}

/** A body as whoever sends it has to write it. */
const sent = (schema: z.ZodType): Json => ({
  requestBody: {
    content: { 'application/json': { schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) } },
  },
})

const pageSchema = {
  type: 'object',
  properties: { next: { type: ['string', 'null'] }, count: { type: ['integer', 'null'] }, exact: { type: 'boolean' } },
}

function recordSchema(resource: Resource, authority: Authority, label: (field: FieldModel) => string): Json {
  const access = authority.compile(resource, 'read')
  const fields = resource.all.filter(({ name }) => access.readable(name) || access.masked(name))
  const schemaOf = (field: FieldModel): Json =>
    access.masked(field.name)
      ? { type: ['string', 'null'], description: 'Masked for you.', readOnly: true }
      : { ...fieldSchema(field, resource), ...(field.readonly ? { readOnly: true } : {}) }
  return {
    type: 'object',
    required: fields.filter(({ name, required }) => required && !access.masked(name)).map(({ name }) => name),
    properties: Object.fromEntries(fields.map((field) => [field.name, { ...schemaOf(field), title: label(field) }])),
  }
}

const schemas: Readonly<Record<FieldKind['sql'], Json>> = {
  text: { type: 'string' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  numeric: { type: 'string', format: 'decimal' },
  date: { type: 'string', format: 'date' },
  timestamptz: { type: 'string', format: 'date-time' },
  uuid: { type: 'string', format: 'uuid' },
  jsonb: {},
}

function fieldSchema(field: FieldModel, resource: Resource): Json {
  const { sql, schema = schemas[sql] } = fieldTypes[field.type]
  const mayBeEmpty = resource.nullable.has(field.name)
  const choices = field.type === 'select' ? (field.options ?? []).map(({ value }) => value) : undefined
  return {
    ...schema,
    ...(mayBeEmpty && schema['type'] !== undefined ? { type: [schema['type'], 'null'] } : {}),
    ...(choices ? { enum: [...choices, ...(mayBeEmpty ? [null] : [])] } : {}),
    ...(sql === 'uuid' && field.target !== undefined ? { 'x-resource': field.target } : {}),
    ...(sql === 'text' && field.maxLength !== undefined ? { maxLength: field.maxLength } : {}),
  }
}

function resourcePaths(resource: Resource, tag: string): Record<string, Record<string, unknown>> {
  const base = `/api/${resource.plugin}/${resource.path}`
  const one = { type: 'object', properties: { data: { $ref: `#/components/schemas/${resource.id}` } } }
  const many = {
    type: 'object',
    properties: {
      data: { type: 'array', items: { $ref: `#/components/schemas/${resource.id}` } },
      page: { $ref: '#/components/schemas/Page' },
      included: { type: 'object' },
    },
  }
  const answer = (status: string, schema: Json) => ({
    [status]: { description: 'Done', content: { 'application/json': { schema } } },
    default: problem,
  })
  const body = {
    requestBody: { content: { 'application/json': { schema: { $ref: `#/components/schemas/${resource.id}` } } } },
  }
  const query = (name: string, description: string) => ({ name, in: 'query', description, schema: { type: 'string' } })
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }
  const asOf = query('asOf', 'An instant that has been, e.g. `2026-03-31T09:00:00Z`: as it was then')
  const operation = (verb: string, summary: string, rest: Json) => ({
    operationId: `${resource.id}.${verb}`,
    tags: [tag],
    summary,
    ...rest,
  })
  const paths: Record<string, Record<string, unknown>> = {
    [base]: {
      get: operation('list', 'A page of records', {
        parameters: [
          query('filter', 'Expression, e.g. `createdAt within last 30 days`'),
          query('q', 'Words to search for'),
          query('sort', '`-createdAt,name`'),
          query('limit', '1 to 200'),
          query('after', 'Cursor of the page before'),
          query('fields', 'Names, separated by commas'),
          query('include', 'References to answer with'),
          query('count', '`estimate`, `exact` or `none`'),
          query('view', 'Saved view whose filter, words and order apply where none are given'),
          query('deleted', '`only`: what is in the bin'),
          asOf,
        ],
        responses: answer('200', many),
      }),
    },
    [`${base}/query`]: {
      post: operation('query', 'A page of records, asked in JSON', {
        ...sent(queryBody),
        responses: answer('200', many),
      }),
    },
    [`${base}/aggregate`]: {
      post: operation('aggregate', 'Figures that open their rows', {
        ...sent(aggregateBody),
        responses: answer('200', { type: 'object' }),
      }),
    },
    [`${base}/board`]: {
      post: operation('board', 'Columns of a board with figures and first cards', {
        ...sent(boardBody),
        responses: answer('200', { type: 'object' }),
      }),
    },
    [`${base}/{id}`]: {
      get: operation('get', 'One record', {
        parameters: [
          id,
          asOf,
          ...(resource.options.timeline ? [query('timeline', '`first`: with the first page of its timeline')] : []),
        ],
        responses: answer('200', one),
      }),
    },
    [`${base}/{id}/history`]: {
      get: operation('history', "A record's changes", {
        parameters: [id, query('after', 'Cursor of the page before'), query('limit', '1 to 200')],
        responses: answer('200', { type: 'object' }),
      }),
    },
  }
  paths[`${base}/{id}/why`] = {
    get: operation('why', 'Why a list shows a record or not: each condition, whether it is met and by what', {
      parameters: [
        id,
        query('filter', 'Expression the list goes by'),
        query('q', 'Words it searches for'),
        query('view', 'Saved view whose filter and words apply where none are given'),
        asOf,
      ],
      responses: answer('200', { type: 'object' }),
    }),
  }
  paths[`${base}/{id}/unmask`] = {
    post: operation('unmask', 'The value of a masked field; with why, which the audit keeps', {
      parameters: [id],
      ...sent(unmaskBody),
      responses: answer('200', { type: 'object' }),
    }),
  }
  if (resource.options.readonly) return paths
  Object.assign(paths[base] ?? {}, {
    post: operation('create', 'Make a record', { ...body, responses: answer('201', one) }),
  })
  Object.assign(paths[`${base}/{id}`] ?? {}, {
    patch: operation('update', 'Change fields; send the version you saw', {
      parameters: [id],
      ...body,
      responses: answer('200', one),
    }),
    delete: operation('delete', 'Move to the bin', {
      parameters: [id, query('version', 'The version you saw')],
      responses: { 204: { description: 'Done' }, default: problem },
    }),
  })
  paths[`${base}/{id}/restore`] = {
    post: operation('restore', 'Bring back from the bin', { parameters: [id], responses: answer('200', one) }),
  }
  paths[`${base}/bulk`] = {
    post: operation('bulk', 'Up to 200 changes at once', {
      ...sent(bulkBody),
      responses: answer('200', { type: 'object' }),
    }),
  }
  return paths
}

function routeOperation(
  tag: string,
  { summary, body, query, params, answer, status = 200, permission }: RouteDefinition,
): Json {
  const named = (schema: z.ZodType | undefined, place: 'path' | 'query') => {
    const shape = schema
      ? (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
          properties?: Record<string, unknown>
          required?: string[]
        })
      : {}
    return Object.entries(shape.properties ?? {}).map(([name, it]) => ({
      name,
      in: place,
      required: place === 'path' || (shape.required ?? []).includes(name),
      schema: it,
    }))
  }
  return {
    tags: [tag],
    summary,
    'x-permission': permission,
    parameters: [...named(params, 'path'), ...named(query, 'query')],
    ...(body ? sent(body) : {}),
    responses: {
      [status]: {
        description: 'Done',
        content: { 'application/json': { schema: z.toJSONSchema(answer, { unrepresentable: 'any' }) } },
      },
      default: problem,
    },
  }
}
