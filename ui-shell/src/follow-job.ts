import { ProblemError } from '@socle/sdk/ui'

/** Failures in a row after which the server is not asked again. */
const patience = 8
const longestPause = 15_000

/** Whether work of the background has not ended; what is paused may go on. */
export function isUnderWay({ state }: { readonly state: string }): boolean {
  return state === 'queued' || state === 'running' || state === 'paused'
}

/**
 * Asks after something the server does in the background until it has ended.
 *
 * A server that cannot be reached or is busy is asked again, ever less often; one that refuses is not.
 *
 * @param read - may show what it read
 * @param every - milliseconds between two readings
 * @returns what was read last; `undefined` when `signal` ended it
 * @throws the ProblemError of a refusal, or of the last of several failures in a row
 */
export async function followJob<T extends { readonly state: string }>(
  read: () => Promise<T>,
  { every, signal }: { readonly every: number; readonly signal?: AbortSignal },
): Promise<T | undefined> {
  let failures = 0
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(every * 2 ** failures, longestPause)))
    if (signal?.aborted) return undefined
    try {
      const job = await read()
      if (!isUnderWay(job)) return job
      failures = 0
    } catch (error) {
      failures++
      if (!(error instanceof ProblemError) || isRefusal(error) || failures === patience) throw error
    }
  }
}

function isRefusal({ status }: ProblemError): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}
