import { defineUi } from '@socle/sdk/ui'

export const ui = defineUi({
  elements: {
    'broken-render-module': () => import('./broken-render-module.ts'),
    'broken-render-first': () => import('./broken-render-first.ts'),
    'broken-render-later': () => import('./broken-render-later.ts'),
  },
})
