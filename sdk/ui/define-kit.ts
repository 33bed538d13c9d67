import { define, defineRest } from './define-rest.ts'
import { SocleButton } from './socle-button.ts'
import { SocleIcon } from './socle-icon.ts'
import { SocleMenu } from './socle-menu.ts'
import { SoclePill } from './socle-pill.ts'
import { SocleSkeleton } from './socle-skeleton.ts'
import { SocleTable } from './socle-table.ts'

/** What the first list is made of. */
const first: Readonly<Record<string, CustomElementConstructor>> = {
  'socle-button': SocleButton,
  'socle-icon': SocleIcon,
  'socle-menu': SocleMenu,
  'socle-pill': SoclePill,
  'socle-skeleton': SocleSkeleton,
  'socle-table': SocleTable,
}

/**
 * Registers the kit's tags. The shell calls it once at boot; whoever imports the kit alone gets functions and types.
 *
 * All but the table and what stands around it comes right after, when the browser is idle: the tags may be used at once,
 * they draw when they are there. The editors are fetched at the same time, for the first click on them.
 */
export function defineKit(): void {
  define(first)
  // Safari has no requestIdleCallback.
  const soon = window.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 200))
  soon(() => void defineRest().then(() => import('./field-editor.ts')), { timeout: 1_500 })
}
