import { randomInt } from 'node:crypto'
import { passwordTooLong, passwordTooShort } from './errors.ts'

export const shortestPassword = 10
export const longestPassword = 128

// Without letters and digits that are read as one another.
const letters = 'abcdefghijkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY34679'

/** Groups of four characters, 22 bits each: read out over the telephone without a mistake. */
export function readableSecret(groups: number): string {
  const group = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')
  return Array.from({ length: groups }, group).join('-')
}

/** Sixteen characters, 90 bits. */
export function oneTimePassword(): string {
  return readableSecret(4)
}

/** @throws `PASSWORD_TOO_SHORT` or `PASSWORD_TOO_LONG` (422) */
export function demandPassword(password: string): void {
  if ([...password].length < shortestPassword) throw passwordTooShort({ least: shortestPassword })
  if (password.length > longestPassword) throw passwordTooLong({ most: longestPassword })
}

// scrypt in the thread pool, as better-auth checks it at sign-in. Loaded at the first use: a start needs no password.
export async function hashPassword(password: string): Promise<string> {
  const { hashPassword: hash } = await import('better-auth/crypto')
  return hash(password)
}

export async function passwordMatches(hash: string, password: string): Promise<boolean> {
  const { verifyPassword } = await import('better-auth/crypto')
  return verifyPassword({ hash, password })
}
