import { defineUi } from '@socle/sdk/ui'

export const ui = defineUi({ elements: { 'badges-desk': () => import('./badges-desk.ts') } })
