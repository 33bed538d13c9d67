import { t, toast } from '@socle/sdk/ui'
import type { ShellDocument } from '@socle/sdk/ui'
import { router } from './router.ts'

/** Tells whoever can bring them back which modules were stopped since the last document, or before this tab was opened. */
export function tellStopped(before: ShellDocument | undefined, now: ShellDocument): void {
  for (const { id, title } of now.stopped ?? []) {
    if (before?.stopped?.some((it) => it.id === id)) continue
    toast({
      text: t('shell.modules.stopped', { title }),
      tone: 'danger',
      action: { label: t('shell.modules.look'), run: () => router.go('/settings/modules') },
    })
  }
}
