import kit from '../../sdk/ui/i18n/fr.json' with { type: 'json' }
import shell from '../i18n/fr.json' with { type: 'json' }

/** As the server sends them later: no line breaks before these signs or inside guillemets. */
const spaced = (text: string) => text.replaceAll(/(?<=\S) (?=[;:?!»%€])|(?<=«) /g, '\u00a0')

export const earlyWords: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ ...kit, ...shell }).map(([key, text]) => [key, spaced(text)]),
)
