import { html } from 'hono/html'
import type { Locale } from '../actor.ts'

interface Schema {
  readonly $ref?: string
  readonly title?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly readOnly?: boolean
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly 'x-resource'?: string
}

interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
}

type Word = 'title' | 'lead' | 'key' | 'pages' | 'versions' | 'refusals' | 'body' | 'fields' | 'required' | 'readOnly'

const words: Readonly<Record<Locale, Readonly<Record<Word, string>>>> = {
  en: {
    title: 'API reference',
    lead: 'Every resource of every module answers the same grammar. This page shows what you may use in this workspace.',
    key: 'Make a key in Settings, API keys, and send it as',
    pages: 'A list answers page.next: send it as after for the next page. Filters are written as on screen, e.g.',
    versions: 'A change sends the version it saw; POST with an Idempotency-Key may be repeated without doing it twice.',
    refusals: 'A refusal is application/problem+json with code, a sentence, and errors that point at each field.',
    body: 'Body',
    fields: 'Fields',
    required: 'required',
    readOnly: 'read only',
  },
  fr: {
    title: 'Référence de l’API',
    lead: 'Chaque ressource de chaque module répond à la même grammaire. Cette page montre ce que vous pouvez utiliser dans cet espace.',
    key: 'Créez une clé dans Réglages, Clés d’API, et envoyez-la ainsi :',
    pages:
      'Une liste répond page.next : envoyez-le comme after pour la page suivante. Les filtres s’écrivent comme à l’écran, par exemple',
    versions:
      'Une modification envoie la version qu’elle a vue ; un POST avec Idempotency-Key peut être répété sans agir deux fois.',
    refusals:
      'Un refus est un application/problem+json avec code, une phrase, et errors qui désigne chaque champ concerné.',
    body: 'Corps',
    fields: 'Champs',
    required: 'obligatoire',
    readOnly: 'lecture seule',
  },
}

/** The API reference as one plain page: every route of this workspace, readable without a script. */
export function referencePage(document: Readonly<Record<string, unknown>>, locale: Locale): Response {
  const say = words[locale]
  const { schemas } = document['components'] as { schemas: Readonly<Record<string, Schema>> }
  const paths = Object.entries(document['paths'] as Record<string, Record<string, Operation>>)
  const byTag = new Map<string, { method: string; path: string; operation: Operation }[]>()
  for (const [path, operations] of paths) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? ''
      byTag.set(tag, [...(byTag.get(tag) ?? []), { method: method.toUpperCase(), path, operation }])
    }
  }
  const fields = (schema: Schema, heading: string) =>
    html`<h3>${heading}</h3>
      <ul>
        ${Object.entries(schema.properties ?? {}).map(
          ([name, it]) =>
            html`<li>
              <code>${name}</code> <i>${typeWords(it)}</i> ${it.title ?? ''}
              ${(schema.required ?? []).includes(name) ? html`<b>${say.required}</b>` : ''}
              ${it.readOnly ? html`<i>${say.readOnly}</i>` : ''}
            </li>`,
        )}
      </ul>`
  const body = (schema: Schema | undefined) => {
    if (!schema) return ''
    const known = schema.$ref?.split('/').at(-1)
    return known === undefined
      ? fields(schema, say.body)
      : html`<h3>${say.body}</h3>
          <p><code>${known}</code></p>`
  }
  const sections = [...byTag].map(([tag, rows]) => {
    const kind = rows
      .map(({ operation }) => operation.requestBody?.content['application/json'].schema.$ref?.split('/').at(-1))
      .find((it) => it !== undefined)
    return html`<section>
      <h2>${tag}</h2>
      ${
        kind !== undefined && schemas[kind]
          ? html`<details>
              <summary><b>${say.fields}</b> <code>${kind}</code></summary>
              ${fields(schemas[kind], say.fields)}
            </details>`
          : ''
      }
      ${rows.map(
        ({ method, path, operation }) =>
          html`<details>
            <summary><b>${method}</b> <code>${path}</code> <span>${operation.summary ?? ''}</span></summary>
            <ul>
              ${(operation.parameters ?? []).map((parameter) => html`<li><code>${parameter.name}</code> (${parameter.in}) ${parameter.description ?? ''}</li>`)}
            </ul>
            ${body(operation.requestBody?.content['application/json'].schema)}
          </details>`,
      )}
    </section>`
  })
  const page = html`<!doctype html>
    <html lang="${locale}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Socle · ${say.title}</title>
        <style>
          :root {
            color-scheme: light dark;
            font:
              14px/20px Inter,
              system-ui,
              sans-serif;
          }
          body {
            max-width: 960px;
            margin: 32px auto;
            padding: 0 16px;
          }
          h2 {
            font-size: 16px;
            margin: 32px 0 8px;
          }
          h3 {
            font-size: 14px;
            margin: 8px 0 4px;
          }
          details {
            border-top: 1px solid color-mix(in srgb, currentcolor 15%, transparent);
            padding: 6px 0;
          }
          summary {
            cursor: pointer;
            overflow-wrap: anywhere;
          }
          summary b {
            display: inline-block;
            min-width: 64px;
            font-weight: 600;
          }
          summary span {
            opacity: 0.7;
          }
        </style>
      </head>
      <body>
        <h1>${say.title}</h1>
        <p>${say.lead} <a href="/api/core/openapi.json">OpenAPI 3.1</a></p>
        <p>${say.key} <code>Authorization: Bearer socle_…</code></p>
        <p>${say.pages} <code>filter=amount &gt;= 1000 and closeDate within next 30 days</code></p>
        <p>${say.versions}</p>
        <p>${say.refusals}</p>
        ${sections}
      </body>
    </html>`
  return new Response(String(page), {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    },
  })
}

/** A type as one says it: `text`-like schemas by their format, choices one by one, references by what they point at. */
function typeWords({ type, format, enum: choices, items, 'x-resource': target }: Schema): string {
  if (choices) return choices.filter((it) => it !== null).join(' | ')
  if (target !== undefined) return `→ ${target}`
  const name = [type ?? 'any'].flat().filter((it) => it !== 'null')
  return items ? `[${typeWords(items)}]` : (format ?? name.join(' | '))
}
