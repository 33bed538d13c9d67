import { sql, type RawBuilder } from 'kysely'

/** Which letters of a masked text show: at most enough to recognise it, never enough to restore it. */
export type Mask = 'text' | 'email' | 'phone' | 'url' | 'closed'

/** Stands for what is hidden, however long that is. */
export const dots = '•••'

interface MaskRule {
  /** A text of another form shows nothing. In the part of the syntax that PostgreSQL and JavaScript read alike. */
  readonly form: string
  /** What is shown, with the groups of the form by number. */
  readonly shown: (group: (nth: 1 | 2) => string) => string
}

const rules: Readonly<Record<Mask, MaskRule | undefined>> = {
  text: { form: '^(.).{4,}$', shown: (group) => `${group(1)}${dots}` },
  email: {
    form: '^([^@])[^@]{2,}@.+[.]([A-Za-z]{2,4})$',
    shown: (group) => `${group(1)}${dots}@${dots}.${group(2)}`,
  },
  phone: { form: '^.{6,}([0-9]{2})$', shown: (group) => `${dots}${group(1)}` },
  url: {
    form: '^(https?://)[^/?#]+[.]([A-Za-z]{2,4})(?::[0-9]+)?(?:[/?#].*)?$',
    shown: (group) => `${group(1)}${dots}.${group(2)}`,
  },
  closed: undefined,
}

/**
 * A text as its mask; no text stays none.
 *
 * @example maskedText('email', 'jeanne@garonne.fr') // 'j•••@•••.fr'
 */
export function maskedText(mask: Mask, value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null
  const rule = rules[mask]
  const form = rule && new RegExp(rule.form, 'su')
  return form?.test(value)
    ? value.replace(
        form,
        rule!.shown((nth) => `$${nth}`),
      )
    : dots
}

/** `maskedText` in SQL, of what reads the field. */
export function maskedSql(mask: Mask, value: RawBuilder<unknown>): RawBuilder<unknown> {
  const rule = rules[mask]
  const shown = rule
    ? sql`when ${value} ~ ${sql.lit(rule.form)} then regexp_replace(${value}, ${sql.lit(rule.form)}, ${sql.lit(rule.shown((nth) => `\\${nth}`))})`
    : sql``
  return sql`(case when ${value} is null or ${value} = '' then null ${shown} else ${sql.lit(dots)} end)`
}
