import { setTimeout as pause } from 'node:timers/promises'

/**
 * Gives work so much time. What it does afterwards is its own affair: code cannot be stopped from outside.
 *
 * @throws `refusal`
 */
export async function within<T>(seconds: number, refusal: Error, work: () => Promise<T>): Promise<T> {
  const given = new AbortController()
  try {
    return await Promise.race([
      work(),
      pause(seconds * 1_000, undefined, { signal: given.signal }).then(() => {
        throw refusal
      }),
    ])
  } finally {
    given.abort()
  }
}
