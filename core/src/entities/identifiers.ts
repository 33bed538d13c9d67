/** Drops the blanks, dots and hyphens people write between groups of digits. */
export function compact(value: string): string {
  return value.replaceAll(/[\s.\-\u00a0\u202f]/g, '').toUpperCase()
}

/** Luhn's checksum (ISO/IEC 7812-1, annex B). */
function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index])
    const weighed = index % 2 === 1 ? digit * 2 : digit
    sum += weighed > 9 ? weighed - 9 : weighed
  }
  return sum % 10 === 0
}

/** Nine digits, the last a Luhn checksum: article R123-221 of the Code de commerce. Takes compact text. */
export function isSiren(value: string): boolean {
  return /^\d{9}$/.test(value) && value !== '000000000' && passesLuhn(value)
}

const laPoste = '356000000'

/** Fourteen digits that begin with a SIREN and pass Luhn. */
export function isSiret(value: string): boolean {
  if (!/^\d{14}$/.test(value) || !isSiren(value.slice(0, 9))) return false
  if (passesLuhn(value)) return true
  // La Poste has more establishments than its Luhn-valid numbers: theirs only add up to a multiple of five (INSEE).
  return value.startsWith(laPoste) && [...value].reduce((sum, digit) => sum + Number(digit), 0) % 5 === 0
}

/** The VAT number that follows from a SIREN: key = (12 + 3 × (SIREN mod 97)) mod 97. */
export function vatNumberOf(siren: string): string {
  const key = (12 + 3 * (Number(siren) % 97)) % 97
  return `FR${String(key).padStart(2, '0')}${siren}`
}

/**
 * True for a VAT number that can be one.
 *
 * A French one is checked: the key against the SIREN where the key is digits (older numbers have letters in it, whose
 * checksum is not published). Another country's is checked for its shape: two letters and 2 to 13 letters or digits.
 */
export function isVatNumber(value: string): boolean {
  if (!value.startsWith('FR')) return /^[A-Z]{2}[0-9A-Z+*]{2,13}$/.test(value)
  const [, key, siren] = /^FR([0-9A-HJ-NP-Z]{2})(\d{9})$/.exec(value) ?? []
  if (key === undefined || siren === undefined) return false
  if (siren !== laPoste && !isSiren(siren)) return false
  return /^\d{2}$/.test(key) ? value === vatNumberOf(siren) : true
}

/** `https://www.Example.fr/shop` → `example.fr`; undefined for what has no host. */
export function domainOf(website: string): string | undefined {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(website) ? website : `https://${website}`)
  return url?.hostname.includes('.') ? url.hostname.replace(/^www\./, '') : undefined
}
