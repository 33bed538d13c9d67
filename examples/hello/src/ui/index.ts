import { defineUi } from '@socle/sdk/ui'

export const ui = defineUi({ elements: { 'hello-wall': () => import('./hello-wall.ts') } })
