import { Decimal } from 'decimal.js'

/** What a line is priced by; decimal strings, `discount` and `taxRate` in percent. */
export interface PricedLine {
  readonly quantity: string
  readonly unitPrice: string
  readonly discount: string
  readonly taxRate: string
}

export interface Totals {
  readonly net: string
  readonly tax: string
  readonly gross: string
}

/** Digits after the point that a currency is paid in: 2 for EUR, 0 for JPY, 3 for TND. */
export function currencyDigits(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
}

// Money is kept with four decimals, so that a currency with three has room.
const scale = 4

/**
 * Quantity × unit price, less the discount, rounded to the currency's digits.
 *
 * @returns decimal string with four decimals
 *
 * Half away from zero, as French invoicing does: −0.005 becomes −0.01.
 */
export function lineNet({ quantity, unitPrice, discount }: PricedLine, currency: string): string {
  return new Decimal(quantity)
    .times(unitPrice)
    .times(new Decimal(100).minus(discount))
    .div(100)
    .toDecimalPlaces(currencyDigits(currency), Decimal.ROUND_HALF_UP)
    .toFixed(scale)
}

/**
 * Sums of a document from its lines' nets.
 *
 * Tax is computed on the sum of each rate and rounded once per rate (EN 16931, BR-CO-17), not line by line.
 */
export function totalsOf(
  lines: readonly { readonly net: string; readonly taxRate: string }[],
  currency: string,
): Totals {
  const bases = new Map<string, Decimal>()
  for (const { net, taxRate } of lines) {
    const rate = new Decimal(taxRate).toFixed()
    bases.set(rate, (bases.get(rate) ?? new Decimal(0)).plus(net))
  }
  let net = new Decimal(0)
  let tax = new Decimal(0)
  for (const [rate, base] of bases) {
    net = net.plus(base)
    tax = tax.plus(base.times(rate).div(100).toDecimalPlaces(currencyDigits(currency), Decimal.ROUND_HALF_UP))
  }
  return { net: net.toFixed(scale), tax: tax.toFixed(scale), gross: net.plus(tax).toFixed(scale) }
}
