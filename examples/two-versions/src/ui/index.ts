import { defineUi } from '@socle/sdk/ui'

export const ui = defineUi({
  elements: {
    'two-versions-counter': () => import('./two-versions-counter.ts'),
    'two-versions-widget': () => import('./two-versions-widget.ts'),
    'two-versions-figure': () => import('./two-versions-figure.ts'),
  },
})
