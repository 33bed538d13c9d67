/** How much room a column wants, in pixels. */
export interface ColumnWish {
  /** Below this its content would be cut. */
  readonly min: number
  /** All of its content at one line. */
  readonly ideal: number
}

export interface FittedColumns {
  /** Width of each column that stays, the title column first. */
  readonly widths: readonly number[]
  /** How many at the end of the view gave way. */
  readonly hidden: number
}

/**
 * Shares the width of a table out among its columns.
 *
 * Texts shrink first, down to their minimum; then columns give way from the end of the view, whole: a number or a pill
 * is never cut. What is left over goes to the title (two fifths) and evenly to the others.
 *
 * @param wishes - the title column first, then in the view's order
 * @param available - pixels for all of them
 * @param all - true keeps every column at its ideal and lets the table scroll sideways
 */
export function fitColumns(wishes: readonly ColumnWish[], available: number, all = false): FittedColumns {
  let kept = wishes.length
  if (!all) while (kept > 1 && sum(wishes.slice(0, kept).map((it) => it.min)) > available) kept--
  const stay = wishes.slice(0, kept)
  const minimum = sum(stay.map((it) => it.min))
  const ideal = sum(stay.map((it) => it.ideal))
  const spare = available - (all ? ideal : minimum)
  const base = stay.map((it) => (all ? it.ideal : it.min))
  if (spare <= 0) return { widths: base.map(Math.floor), hidden: wishes.length - kept }

  const wanted = all ? 0 : ideal - minimum
  const grown = stay.map((it, index) => {
    if (all) return it.ideal
    return (base[index] as number) + (wanted > 0 ? (it.ideal - it.min) * Math.min(1, spare / wanted) : 0)
  })
  const left = Math.max(0, spare - wanted)
  return { widths: shareOut(grown, left), hidden: wishes.length - kept }
}

function shareOut(widths: readonly number[], left: number): number[] {
  const others = widths.length - 1
  const toTitle = others === 0 ? left : left * 0.4
  const toOther = others === 0 ? 0 : (left - toTitle) / others
  const shared = widths.map((it, index) => Math.floor(it + (index === 0 ? toTitle : toOther)))
  return shared
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, it) => total + it, 0)
}
