import { announce, t, toast } from '@socle/sdk/ui'
import type { ShellDocument } from '@socle/sdk/ui'
import { router } from './router.ts'

/**
 * Tells whoever can mend it, wherever they are, what went wrong since the last document, or before this tab was opened: modules
 * that were stopped, and domains that are no longer proved.
 */
export function tellAttention(before: ShellDocument | undefined, now: ShellDocument): void {
  for (const { id, title } of now.stopped ?? [])
    if (!before?.stopped?.some((it) => it.id === id)) tell(t('shell.modules.stopped', { title }), '/settings/modules')
  for (const domain of now.lostDomains ?? [])
    if (!before?.lostDomains?.includes(domain))
      tell(t('shell.providers.lost', { domain }), '/settings/identity-providers')
}

/** Says that modules came or went, and which was under this tab. */
export function tellModules(gone: string | undefined): void {
  if (gone === undefined) announce(t('shell.modules.changed'), 'polite')
  else toast({ text: t('shell.modules.goneWhileOpen', { title: gone }), tone: 'warning' })
}

function tell(text: string, place: string): void {
  toast({ text, tone: 'danger', action: { label: t('shell.modules.look'), run: () => router.go(place) } })
}
