/** Tries a handler gets before its event is put aside as dead. */
export const maxAttempts = 8

const firstDelay = 5_000
const longestDelay = 3_600_000

/**
 * Milliseconds until the next try: 5 s, 15 s, 45 s … at most an hour.
 *
 * @param failures - how often it failed so far, 1 or more
 */
export function backOff(failures: number): number {
  return Math.min(longestDelay, firstDelay * 3 ** (failures - 1))
}
