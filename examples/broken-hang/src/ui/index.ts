import { defineUi } from '@socle/sdk/ui'

export const ui = defineUi({
  elements: {
    'broken-hang-module': () => new Promise(() => {}),
    'broken-hang-blank': () => import('./broken-hang-blank.ts'),
  },
})
