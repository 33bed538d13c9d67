import kit from '../../sdk/ui/i18n/en.json' with { type: 'json' }
import shell from '../i18n/en.json' with { type: 'json' }

export const earlyWords: Readonly<Record<string, string>> = { ...kit, ...shell }
