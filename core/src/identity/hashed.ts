import { createHash } from 'node:crypto'

/** A text as it is kept where a table is to be no list of them: its SHA-256 (FIPS 180-4) in base64url. */
export function hashed(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
