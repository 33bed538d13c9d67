import { html } from 'hono/html'
import type { Locale } from '../actor.ts'

interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[]
}

const titles: Readonly<Record<Locale, string>> = { en: 'API reference', fr: 'Référence de l’API' }

/** The API reference as one plain page: every route of this workspace, readable without a script. */
export function referencePage(document: Readonly<Record<string, unknown>>, locale: Locale): Response {
  const paths = Object.entries(document['paths'] as Record<string, Record<string, Operation>>)
  const byTag = new Map<string, { method: string; path: string; operation: Operation }[]>()
  for (const [path, operations] of paths) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? ''
      byTag.set(tag, [...(byTag.get(tag) ?? []), { method: method.toUpperCase(), path, operation }])
    }
  }
  const sections = [...byTag].map(
    ([tag, rows]) =>
      html`<section>
        <h2>${tag}</h2>
        ${rows.map(
          ({ method, path, operation }) =>
            html`<details>
              <summary><b>${method}</b> <code>${path}</code> <span>${operation.summary ?? ''}</span></summary>
              <ul>
                ${(operation.parameters ?? []).map((parameter) => html`<li><code>${parameter.name}</code> (${parameter.in}) ${parameter.description ?? ''}</li>`)}
              </ul>
            </details>`,
        )}
      </section>`,
  )
  const page = html`<!doctype html>
    <html lang="${locale}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Socle · ${titles[locale]}</title>
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
        <h1>${titles[locale]}</h1>
        <p><a href="/api/core/openapi.json">OpenAPI 3.1</a></p>
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
