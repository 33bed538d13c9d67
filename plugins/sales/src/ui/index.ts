import { defineUi } from '@socle/sdk/ui'

export const ui = defineUi({
  elements: {
    'sales-pipeline-widget': () => import('./sales-pipeline-widget.ts'),
    'sales-stage-history': () => import('./sales-stage-history.ts'),
  },
})
