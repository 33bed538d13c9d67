import { confirmDialog, ProblemError, t } from '@socle/sdk/ui'
import type { Question } from '@socle/sdk/ui'

/**
 * Writes, and when the server only warns, asks the user and writes again with the warning acknowledged.
 *
 * @param questionOf - how a warning is put where its sentence alone says too little
 *
 * @throws the ProblemError of a warning the user heeded
 */
export async function acknowledging<T>(
  write: (extra: { acknowledge?: readonly string[] }) => Promise<T>,
  questionOf: (problem: ProblemError) => Question | undefined = () => undefined,
): Promise<T> {
  const acknowledged: string[] = []
  for (;;) {
    try {
      return await write(acknowledged.length ? { acknowledge: acknowledged } : {})
    } catch (error) {
      const warning = error instanceof ProblemError ? (error.raw as { warning?: unknown }).warning : undefined
      if (typeof warning !== 'string' || acknowledged.includes(warning)) throw error
      const problem = error as ProblemError
      const goesOn = await confirmDialog(
        questionOf(problem) ?? {
          title: t('shell.records.warning.title'),
          body: problem.detail,
          confirm: t('shell.records.warning.goOn'),
        },
      )
      if (!goesOn) throw error
      acknowledged.push(warning)
    }
  }
}
