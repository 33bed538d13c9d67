import { SocleDialog } from './socle-dialog.ts'
import { SocleFigure } from './socle-figure.ts'
import { SoclePanel } from './socle-panel.ts'
import { SocleRecords } from './socle-records.ts'
import { SocleTabs } from './socle-tabs.ts'
import { SocleToasts } from './socle-toasts.ts'

/** The elements that the first list does without. */
export const elements: Readonly<Record<string, CustomElementConstructor>> = {
  'socle-dialog': SocleDialog,
  'socle-figure': SocleFigure,
  'socle-panel': SoclePanel,
  'socle-records': SocleRecords,
  'socle-tabs': SocleTabs,
  'socle-toasts': SocleToasts,
}
