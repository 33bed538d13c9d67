import { defineUi } from '@socle/sdk/ui'

export const ui = defineUi({
  elements: {
    'briefing-contact': () => import('./briefing-contact.ts'),
    'briefing-contacts': () => import('./briefing-contacts.ts'),
    'briefing-side': () => import('./briefing-side.ts'),
  },
})
