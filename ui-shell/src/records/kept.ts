import { t, toast } from '@socle/sdk/ui'
import type { Undone } from '@socle/sdk/ui'
import { askWith } from './question-dialog.ts'
import { ShellKept } from './shell-kept.ts'

/** Says that an undo left some of it alone, and shows which records and fields that is, and why. */
export function tellKept(kept: Undone['kept'], said?: string): void {
  const refused = kept.find((it) => 'problem' in it)
  const text = refused
    ? t('shell.records.undoneRefused', { count: kept.length, reason: refused.problem.detail })
    : t('shell.records.undonePartly', { count: kept.length })
  toast({ text: said ?? text, tone: 'warning', action: { label: t('shell.records.kept.show'), run: () => show(kept) } })
}

/** Says why nothing was undone, and of which records and fields. */
export function tellNoneUndone(detail: string, kept: Undone['kept']): void {
  toast({ text: detail, tone: 'danger', action: { label: t('shell.records.kept.show'), run: () => show(kept) } })
}

function show(kept: Undone['kept']): void {
  void askWith('shell-kept', ShellKept, kept)
}
