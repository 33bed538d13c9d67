// From the package's own root: compiled, this file stands in `dist`.
const root = import.meta.resolve('@socle/ui-shell/package.json')

/** What a deployment hands the core to serve: the built screens and the words they say. */
export const ui = {
  folder: new URL('dist/ui/', root),
  words: [
    { owner: 'kit', folder: new URL('i18n/', import.meta.resolve('@socle/sdk/ui')) },
    { owner: 'shell', folder: new URL('i18n/', root) },
  ],
}
