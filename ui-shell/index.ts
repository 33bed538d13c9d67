/** What a deployment hands the core to serve: the built screens and the words they say. */
export const ui = {
  folder: new URL('dist/ui/', import.meta.url),
  words: [
    { owner: 'kit', folder: new URL('i18n/', import.meta.resolve('@socle/sdk/ui')) },
    { owner: 'shell', folder: new URL('i18n/', import.meta.url) },
  ],
}
