import { SocleAvatar } from './socle-avatar.ts'
import { SocleBarChart } from './socle-bar-chart.ts'
import { SocleBoard } from './socle-board.ts'
import { SocleButton } from './socle-button.ts'
import { SocleDialog } from './socle-dialog.ts'
import { SocleEmpty } from './socle-empty.ts'
import { SocleField } from './socle-field.ts'
import { SocleFigure } from './socle-figure.ts'
import { SocleIcon } from './socle-icon.ts'
import { SocleMenu } from './socle-menu.ts'
import { SoclePanel } from './socle-panel.ts'
import { SoclePill } from './socle-pill.ts'
import { SocleRecords } from './socle-records.ts'
import { SocleSkeleton } from './socle-skeleton.ts'
import { SocleTable } from './socle-table.ts'
import { SocleTabs } from './socle-tabs.ts'
import { SocleToasts } from './socle-toasts.ts'
import { SocleValue } from './socle-value.ts'

const elements: Readonly<Record<string, CustomElementConstructor>> = {
  'socle-avatar': SocleAvatar,
  'socle-bar-chart': SocleBarChart,
  'socle-board': SocleBoard,
  'socle-button': SocleButton,
  'socle-dialog': SocleDialog,
  'socle-empty': SocleEmpty,
  'socle-field': SocleField,
  'socle-figure': SocleFigure,
  'socle-icon': SocleIcon,
  'socle-menu': SocleMenu,
  'socle-panel': SoclePanel,
  'socle-pill': SoclePill,
  'socle-records': SocleRecords,
  'socle-skeleton': SocleSkeleton,
  'socle-table': SocleTable,
  'socle-tabs': SocleTabs,
  'socle-toasts': SocleToasts,
  'socle-value': SocleValue,
}

/** Registers the kit's tags. The shell calls it once at boot; whoever imports the kit alone gets classes only. */
export function defineKit(registry: CustomElementRegistry = customElements): void {
  for (const [tag, element] of Object.entries(elements)) {
    if (!registry.get(tag)) registry.define(tag, element)
  }
}
