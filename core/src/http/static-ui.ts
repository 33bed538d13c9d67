import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { UiAssets } from '../plugins/shell-document.ts'

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
}

/** Of a file whose name changes with its content. */
export function assetHeaders(extension: string): Record<string, string> {
  return {
    'content-type': types[extension] ?? 'application/octet-stream',
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
  }
}

interface Manifest {
  readonly plugins?: Readonly<Record<string, string>>
}

/** The built browser side: hashed files that never change, and the one page that names them. */
export interface StaticUi extends UiAssets {
  /** A file below `/assets/`. */
  asset(path: string, request: Request): Promise<Response | undefined>
  /** The shell's page, for every address that is no file and no API. */
  page(): Response
}

/**
 * Serves a folder that the screens' build wrote: `index.html`, `manifest.json` and `assets/`.
 *
 * The policy of the page: scripts only from here plus the import map by its hash. Styles need `'unsafe-inline'` because
 * form controls set them (spec CSP 3, section 6.1).
 */
export function staticUi(folder: URL): StaticUi {
  const root = fileURLToPath(folder)
  const manifestPath = join(root, 'manifest.json')
  const manifest: Manifest = existsSync(manifestPath)
    ? (JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest)
    : {}
  const pagePath = join(root, 'index.html')
  const html = existsSync(pagePath) ? readFileSync(pagePath, 'utf8') : undefined
  const inline = [...(html ?? '').matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  )
  const policy = [
    "default-src 'none'",
    `script-src 'self' ${inline.join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
  return {
    plugin: (id) => manifest.plugins?.[id],
    async asset(path, request) {
      const file = normalize(join(root, path))
      if (!file.startsWith(join(root, 'assets') + sep)) return undefined
      const encodings = request.headers.get('accept-encoding') ?? ''
      for (const [encoding, ending] of [
        ['br', '.br'],
        ['gzip', '.gz'],
        [undefined, ''],
      ] as const) {
        if (encoding !== undefined && !encodings.includes(encoding)) continue
        const found = await stat(file + ending).catch(() => undefined)
        if (!found?.isFile()) continue
        return new Response(new Uint8Array(await readFile(file + ending)), {
          headers: {
            ...assetHeaders(extname(file)),
            vary: 'accept-encoding',
            ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
          },
        })
      }
      return undefined
    },
    page() {
      if (html === undefined) {
        return new Response('The screens are not built yet. Run "npm run build:ui", then reload.', {
          status: 503,
          headers: { 'content-type': 'text/plain; charset=utf-8' },
        })
      }
      return new Response(html, {
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'no-cache',
          'content-security-policy': policy,
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'same-origin',
          'cross-origin-opener-policy': 'same-origin',
          'permissions-policy': 'camera=(), microphone=(), geolocation=(self)',
        },
      })
    },
  }
}
