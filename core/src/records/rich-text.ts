import sanitizeHtml from 'sanitize-html'

/** What the editor writes; all else that is pasted or sent loses its tags and keeps its words. */
const kept: sanitizeHtml.IOptions = {
  allowedTags: [
    ...[
      'p',
      'br',
      'strong',
      'em',
      'u',
      's',
      'a',
      'ul',
      'ol',
      'li',
      'h2',
      'h3',
      'h4',
      'blockquote',
      'code',
      'pre',
      'hr',
    ],
  ],
  allowedAttributes: { a: ['href'] },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  allowProtocolRelative: false,
  transformTags: { b: 'strong', i: 'em', h1: 'h2' },
  parser: { lowerCaseTags: true },
}

/** Formatted text that may stand in any page: no script, style, picture or address of another kind comes through. */
export function cleanRichText(html: string): string {
  const clean = sanitizeHtml(html, kept).trim()
  return /[^\s]/.test(clean.replaceAll(/<[^>]*>|&nbsp;/g, '')) || clean.includes('<hr') ? clean : ''
}
