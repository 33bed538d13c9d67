import { defineUi } from '@socle/sdk/ui'

export const ui = defineUi({ elements: { 'loyalty-beside': () => import('./loyalty-beside.ts') } })
