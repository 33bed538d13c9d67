import { defineSettings, setting } from '@socle/sdk'

export const SalesSettings = defineSettings('sales', {
  wonMakesClient: setting.boolean({
    title: { en: 'Winning makes a client', fr: 'Gagner fait un client' },
    help: {
      en: 'The account of a won opportunity becomes a client at once. Switch it off where the first invoice does that.',
      fr: 'Le compte d’une opportunité gagnée devient client aussitôt. À désactiver si la première facture s’en charge.',
    },
    initial: true,
  }),
})
