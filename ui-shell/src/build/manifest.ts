/**
 * What `dist/ui/manifest.json` says: which files the browser loads, and how they may be served.
 *
 * For the host of these files:
 * - `dist/ui/assets/**` is served at `/assets/**` with `cache-control: public, max-age=31536000, immutable`:
 *   every name carries the hash of its content. Files of earlier builds stay for 24 hours, for tabs that lag.
 * - `dist/ui/index.html` answers every GET outside `/api/` and `/assets/` that accepts HTML, with
 *   `cache-control: no-cache` and the header `content-security-policy: <csp>`.
 * - `plugins[id]` is the `ui` URL of that plugin in `GET /api/core/shell`.
 */
export interface UiManifest {
  /** Bare module name → URL, the same as in index.html. */
  readonly importMap: Readonly<Record<string, string>>
  readonly shell: { readonly js: string; readonly css: readonly string[] }
  /** Plugin id → URL of its ES module. */
  readonly plugins: Readonly<Record<string, string>>
  /** URLs the first screen needs at once; index.html preloads them. */
  readonly preload: readonly string[]
  /** `sha256-…` of each inline script of index.html: the import map, and the few bytes that set the theme before paint. */
  readonly scriptHashes: readonly string[]
  /** The whole header, built from `scriptHashes`. */
  readonly csp: string
  /** Hash of index.html; changes if and only if any file of the shell changed. */
  readonly html: string
  /** Scripts of the first list of records, with their bytes as gzip. */
  readonly firstList: Readonly<Record<string, number>>
}
