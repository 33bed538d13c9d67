import { confirmDialog, ProblemError, t } from '@socle/sdk/ui'

/**
 * Writes, and when the server only warns, asks the user and writes again with the warning acknowledged.
 *
 * @throws the ProblemError of a warning the user heeded
 */
export async function acknowledging<T>(write: (extra: { acknowledge?: readonly string[] }) => Promise<T>): Promise<T> {
  const acknowledged: string[] = []
  for (;;) {
    try {
      return await write(acknowledged.length ? { acknowledge: acknowledged } : {})
    } catch (error) {
      const warning = error instanceof ProblemError ? (error.raw as { warning?: unknown }).warning : undefined
      if (typeof warning !== 'string' || acknowledged.includes(warning)) throw error
      const goesOn = await confirmDialog({
        title: t('shell.records.warning.title'),
        body: (error as ProblemError).detail,
        confirm: t('shell.records.warning.goOn'),
      })
      if (!goesOn) throw error
      acknowledged.push(warning)
    }
  }
}
