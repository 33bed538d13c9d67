import { foldRules } from './fold-rules.ts'

const folded = new Map<string, string>()
for (const [text, characters] of foldRules) {
  for (const character of characters) folded.set(character, text)
}

// Control characters are ASCII too: nothing to do for them but to leave them.
// oxlint-disable-next-line no-control-regex
const ascii = /^[\u0000-\u007f]*$/

/**
 * A text without its accents and capitals: `'Société Œuvre'` gives `'societe oeuvre'`, as `core.fold` does in SQL.
 *
 * Both agree on every Latin, Greek and Cyrillic letter. They differ in superscripts, fractions and the like before
 * PostgreSQL 18, which leave them as they are; in letters whose capitals are newer than the database's Unicode tables;
 * and where its locale knows no case beyond ASCII (`LC_CTYPE=C`). Each character stands alone: Σ ends a word as σ.
 */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase()
  let result = ''
  for (const character of text) {
    const rule = folded.get(character)
    if (rule !== undefined) {
      result += rule
      continue
    }
    const lower = character.toLowerCase()
    result += lower.length === character.length ? lower : character
  }
  return result
}
