import { createHash } from 'node:crypto'

/** What the page needs to know of the built files; URLs as the browser asks for them. */
export interface PageParts {
  readonly importMap: Readonly<Record<string, string>>
  readonly script: string
  readonly styles: readonly string[]
  readonly modules: readonly string[]
  readonly font: string | undefined
}

export interface Page {
  readonly html: string
  readonly scriptHashes: readonly string[]
  readonly csp: string
}

// Runs before the first paint: a dark desk must not flash white at every load.
const themeScript =
  "try{var d=document.documentElement,t=localStorage.getItem('socle.theme');" +
  "if(t==='light'||t==='dark')d.dataset.theme=t;" +
  "var n=localStorage.getItem('socle.density');if(n)d.dataset.density=n;" +
  "var l=localStorage.getItem('socle.locale')||navigator.language;d.lang=/^fr/.test(l)?'fr':'en'}catch(e){}"

/** The one HTML page of the product, and the content security policy it runs under. */
export function renderPage(parts: PageParts): Page {
  const importMap = JSON.stringify({ imports: parts.importMap })
  const scriptHashes = [importMap, themeScript].map(sha256)
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
    <meta name="color-scheme" content="light dark" />
    <meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)" />
    <meta name="theme-color" content="#131317" media="(prefers-color-scheme: dark)" />
    <title>Socle</title>
    <link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}" />
    <script>${themeScript}</script>
    <script type="importmap">${importMap}</script>
${parts.styles.map((url) => `    <link rel="stylesheet" href="${url}" />`).join('\n')}
${parts.font ? `    <link rel="preload" href="${parts.font}" as="font" type="font/woff2" crossorigin />` : ''}
${parts.modules.map((url) => `    <link rel="modulepreload" href="${url}" />`).join('\n')}
    <script type="module" src="${parts.script}"></script>
  </head>
  <body>
    <shell-app></shell-app>
    <noscript>Socle needs JavaScript. · Socle a besoin de JavaScript.</noscript>
  </body>
</html>
`
  return { html, scriptHashes, csp: contentSecurityPolicy(scriptHashes) }
}

// 'unsafe-inline' for styles only: form controls put style elements into their own shadow trees.
function contentSecurityPolicy(scriptHashes: readonly string[]): string {
  return [
    "default-src 'self'",
    `script-src 'self' ${scriptHashes.map((hash) => `'${hash}'`).join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "frame-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function sha256(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" fill="#3350c8"/>' +
  '<path d="M6 16h12M8 12h8M10 8h4" stroke="#fff" stroke-width="2.2" stroke-linecap="round"/></svg>'
