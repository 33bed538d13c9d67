import { Readable } from 'node:stream'

/** A file as it is made, for a browser to keep and nobody between to remember. */
export function download(
  content: AsyncIterable<Uint8Array>,
  { type, name }: { readonly type: string; readonly name: string },
): Response {
  return new Response(Readable.toWeb(Readable.from(content)) as unknown as ReadableStream, {
    headers: {
      'content-type': type,
      'content-disposition': `attachment; filename="${name.replaceAll(/[^\w.-]+/g, '_')}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}
