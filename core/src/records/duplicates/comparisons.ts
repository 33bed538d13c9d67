import { phoneNorm } from '../../entities/phones.ts'

/** How values are compared. */
export type Comparison = keyof typeof comparisons

interface Form {
  /** Close spellings count too; the database folds case, accents, punctuation and legal form away. */
  readonly near?: true
  /** The form in which equal values are equal texts; undefined for a value that tells nothing. */
  of(value: string, country: string | undefined): string | undefined
}

// An address there tells nothing about the company: thousands have one.
const publicHosts = new Set(
  `gmail.com googlemail.com outlook.com outlook.fr hotmail.com hotmail.fr live.com live.fr msn.com yahoo.com yahoo.fr
  icloud.com me.com mac.com aol.com gmx.com gmx.fr gmx.net gmx.de proton.me protonmail.com orange.fr wanadoo.fr free.fr sfr.fr
  neuf.fr laposte.net bbox.fr numericable.fr mail.com yandex.com facebook.com linkedin.com`.split(/\s+/),
)

export const comparisons = {
  email: { of: (value) => value.trim().toLowerCase() },
  // As it is dialled from anywhere; what cannot be dialled is compared by its digits.
  phone: { of: (value, country) => phoneNorm(value, country) ?? atLeast(6, value.replaceAll(/\D/g, '')) },
  domain: {
    of(value) {
      const host = value
        .trim()
        .toLowerCase()
        .replace(/^[a-z]+:\/\//, '')
        .replace(/^www\./, '')
        .split(/[/?#:]/)[0]
      return host === undefined || !host.includes('.') || publicHosts.has(host) ? undefined : host
    },
  },
  // The first nine digits of a SIRET are its SIREN.
  siren: { of: (value) => /^\d{9}/.exec(value.replaceAll(/\s/g, ''))?.[0] },
  identifier: { of: (value) => atLeast(4, value.toUpperCase().replaceAll(/[^\dA-Z]/g, '')) },
  name: { near: true, of: (value) => atLeast(2, value.trim()) },
  // Without case and accents, for values that only support: no close spellings.
  folded: { of: (value) => value.normalize('NFD').replaceAll(/\p{M}/gu, '').trim().toLowerCase() },
  exact: { of: (value) => value },
} satisfies Record<string, Form>

function atLeast(length: number, text: string): string | undefined {
  return text.length < length ? undefined : text
}

export function formOf(comparison: Comparison): Form {
  return comparisons[comparison]
}

export function isComparison(name: string): name is Comparison {
  return Object.hasOwn(comparisons, name)
}
