import { SocleAvatar } from './socle-avatar.ts'
import { SocleBarChart } from './socle-bar-chart.ts'
import { SocleBoard } from './socle-board.ts'
import { SocleButton } from './socle-button.ts'
import { SocleEmpty } from './socle-empty.ts'
import { SocleField } from './socle-field.ts'
import { SocleIcon } from './socle-icon.ts'
import { SocleMenu } from './socle-menu.ts'
import { SoclePill } from './socle-pill.ts'
import { SocleSkeleton } from './socle-skeleton.ts'
import { SocleTable } from './socle-table.ts'
import { SocleValue } from './socle-value.ts'

/** What the first list is made of. */
const first: Readonly<Record<string, CustomElementConstructor>> = {
  'socle-avatar': SocleAvatar,
  'socle-bar-chart': SocleBarChart,
  'socle-board': SocleBoard,
  'socle-button': SocleButton,
  'socle-empty': SocleEmpty,
  'socle-field': SocleField,
  'socle-icon': SocleIcon,
  'socle-menu': SocleMenu,
  'socle-pill': SoclePill,
  'socle-skeleton': SocleSkeleton,
  'socle-table': SocleTable,
  'socle-value': SocleValue,
}

let rest: Promise<void> | undefined

/**
 * Registers the kit's tags. The shell calls it once at boot; whoever imports the kit alone gets classes only.
 *
 * Dialogs, panels, tabs, small lists, figures and toasts come right after, when the browser is idle: their tags may be
 * used at once, they draw when they are there. The editors are fetched at the same time, for the first click on them.
 */
export function defineKit(): void {
  define(first)
  // Safari has no requestIdleCallback.
  const soon = window.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 200))
  soon(() => void defineRest().then(() => import('./field-editor.ts')), { timeout: 1_500 })
}

/** Registers what the first list does without, for those who cannot wait until the browser is idle. */
export function defineRest(): Promise<void> {
  rest ??= import('./rest.ts').then(({ elements }) => define(elements))
  return rest
}

function define(elements: Readonly<Record<string, CustomElementConstructor>>): void {
  for (const [tag, element] of Object.entries(elements)) {
    if (!customElements.get(tag)) customElements.define(tag, element)
  }
}
