import './more-icons.ts'
import { MenuList } from './menu-list.ts'
import { SocleAvatar } from './socle-avatar.ts'
import { SocleBarChart } from './socle-bar-chart.ts'
import { SocleBoard } from './socle-board.ts'
import { SocleCalendar } from './socle-calendar.ts'
import { SocleDialog } from './socle-dialog.ts'
import { SocleEditor } from './socle-editor.ts'
import { SocleEmpty } from './socle-empty.ts'
import { SocleField } from './socle-field.ts'
import { SocleFigure } from './socle-figure.ts'
import { SoclePanel } from './socle-panel.ts'
import { SocleRecords } from './socle-records.ts'
import { SocleTabs } from './socle-tabs.ts'
import { SocleToasts } from './socle-toasts.ts'
import { SocleValue } from './socle-value.ts'

/** The elements that the first list does without. */
export const elements: Readonly<Record<string, CustomElementConstructor>> = {
  'socle-avatar': SocleAvatar,
  'socle-bar-chart': SocleBarChart,
  'socle-board': SocleBoard,
  'socle-calendar': SocleCalendar,
  'socle-dialog': SocleDialog,
  'socle-editor': SocleEditor,
  'socle-empty': SocleEmpty,
  'socle-field': SocleField,
  'socle-figure': SocleFigure,
  'socle-menu-list': MenuList,
  'socle-panel': SoclePanel,
  'socle-records': SocleRecords,
  'socle-tabs': SocleTabs,
  'socle-toasts': SocleToasts,
  'socle-value': SocleValue,
}
