import { setTimeout as pause } from 'node:timers/promises'

/**
 * Gives work so much time. What it does afterwards is its own affair: code cannot be stopped from outside, only told.
 *
 * @param late - aborted with the refusal when the time is over
 * @throws `refusal`
 */
export async function within<T>(
  seconds: number,
  late: AbortController,
  refusal: Error,
  work: () => Promise<T>,
): Promise<T> {
  const given = new AbortController()
  try {
    return await Promise.race([
      work(),
      pause(seconds * 1_000, undefined, { signal: given.signal }).then(() => {
        late.abort(refusal)
        throw refusal
      }),
    ])
  } finally {
    given.abort()
  }
}
