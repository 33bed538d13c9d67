import type { Hono } from 'hono'
import { html } from 'hono/html'
import { sql, type SqlBool } from 'kysely'
import type { Logger } from 'pino'
import type { Locale, Workspace } from '../actor.ts'
import { defineError, SocleError } from '../errors.ts'
import type { Resolved } from '../identity/identity.ts'
import type { Kernel } from '../kernel.ts'
import type { Access, Authority } from '../permissions/authority.ts'
import { pagePath, type PageAnswer, type PageDefinition, type PluginDefinition } from '../plugins/define-plugin.ts'
import { readJson, readText } from './body.ts'
import { parsed } from './parsed.ts'
import { problemResponse, type ProblemContext } from './problem.ts'
import { unitOf } from './resource-routes.ts'
import type { PluginEnv } from './who.ts'

export const pageNotFound = defineError(
  'PAGE_NOT_FOUND',
  404,
  () => 'There is no page at this address. Ask whoever sent it to you for a new link.',
)

const pageReadOnly = defineError<{ path: string }>(
  'PAGE_READ_ONLY',
  500,
  ({ path }) =>
    `Opening ${path} would change something, and nothing was changed. Whoever made the module does it in a POST.`,
)

export const pagesCrowded = defineError<{ seconds: number }>(
  'PAGES_CROWDED',
  429,
  ({ seconds }) => `Too many pages were opened from your connection. Wait ${seconds} s, then try again.`,
)

const noRow: Access = {
  allowed: false,
  everything: false,
  where: () => sql<SqlBool>`false`,
  granted: () => sql<SqlBool>`false`,
  readable: () => false,
  masked: () => false,
  writable: () => false,
}

/** Of somebody nobody knows: nothing. What a page does with more is done by its plugin, which has looked at the address. */
const visitorAuthority: Authority = { compile: () => noRow, may: () => false, holds: () => false, teams: [] }

/** Who opens a public page: the plugin itself, in the language of the browser, with no right of its own. */
export function visitorOf(workspace: Workspace, { title }: PluginDefinition, request: Request): Resolved {
  const wanted = /^\s*(fr|en)\b/i.exec(request.headers.get('accept-language') ?? '')?.[1]?.toLowerCase()
  const locale = (wanted as Locale | undefined) ?? workspace.locale
  const actor = { type: 'plugin', name: title[workspace.locale], locale } as const
  return { actor, workspace, authority: visitorAuthority, workspaces: [] }
}

/** A form without files is small. */
const bodyLimit = { bytes: 65_536, limit: '64 kB' }

interface Mounting {
  readonly kernel: Kernel
  readonly plugin: PluginDefinition
  readonly prefix: string
}

export function mountPage(root: Hono<PluginEnv>, { kernel, plugin, prefix }: Mounting, page: PageDefinition): void {
  const { method, params, query, body } = page
  const handle = page.handle as (input: unknown, ctx: unknown) => Promise<PageAnswer>
  const below = page.path === '/' ? '' : page.path
  root.on(method.toUpperCase(), `/p/:workspace/${prefix}${below}`, async (request) => {
    const { raw } = request.req
    const { facts } = request.env
    const { workspace: _, ...named } = request.req.param() as Readonly<Record<string, string>>
    const input = {
      params: params && parsed(params, named),
      query: query && parsed(query, request.req.query()),
      body: body && parsed(body, await bodyOf(raw)),
    }
    const readonly = method === 'get'
    try {
      return await unitOf(kernel, { facts, raw, plugin: plugin.id, readonly, origin: 'page' }, async (ctx) =>
        answered(await handle(input, ctx), facts.who.workspace, prefix),
      )
    } catch (error) {
      if (readonly && (error as { code?: unknown }).code === '25006')
        throw pageReadOnly({ path: `/p/…/${prefix}${below}` })
      throw error
    }
  })
}

async function bodyOf(request: Request): Promise<Record<string, unknown>> {
  const type = request.headers.get('content-type') ?? ''
  if (!type.startsWith('application/x-www-form-urlencoded')) return readJson(request, bodyLimit)
  return Object.fromEntries(new URLSearchParams(await readText(request, bodyLimit)))
}

/**
 * Of every public page: it runs no script, is framed by nobody, sends its form nowhere else, tells nobody its address, is
 * kept by nobody and found by no search engine.
 */
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow',
  'cross-origin-opener-policy': 'same-origin',
} as const

async function answered(answer: PageAnswer, workspace: Workspace, prefix: string): Promise<Response> {
  if ('redirect' in answer) {
    const location = pagePath(workspace, prefix, answer.redirect)
    return new Response(null, { status: 303, headers: { ...pageHeaders, location } })
  }
  return new Response(String(await answer.html), { status: answer.status ?? 200, headers: pageHeaders })
}

/** To a stranger an absent record, an absent page, a module that is off and a workspace that is not there are all the same. */
export function asPageRefusal(error: unknown): unknown {
  return error instanceof SocleError && error.status === 404 ? pageNotFound({}) : error
}

/** A refusal as a page for who reads pages, as JSON for who does not. */
export async function pageProblem(
  error: unknown,
  request: Request,
  context: ProblemContext,
  log: Logger,
): Promise<Response> {
  const problem = problemResponse(error, context, log)
  const headers = new Headers({ ...pageHeaders, ...Object.fromEntries(problem.headers) })
  const { status } = problem
  if (!/\btext\/html\b/i.test(request.headers.get('accept') ?? ''))
    return new Response(problem.body, { status, headers })
  const { title, detail } = (await problem.json()) as { readonly title: string; readonly detail: string }
  headers.set('content-type', pageHeaders['content-type'])
  const page = await html`<!doctype html>
    <html lang=${context.locale}>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>${title}</title>
      <p>${detail}</p>
    </html>`
  return new Response(String(page), { status, headers })
}
