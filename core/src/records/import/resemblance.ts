const ligatures: Readonly<Record<string, string>> = { œ: 'oe', æ: 'ae', ß: 'ss', ø: 'o', ł: 'l', đ: 'd' }

/** A text without case and accents: `Étoilé` and `etoile` are alike. */
export function fold(text: string): string {
  return text
    .trim()
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[œæßøłđ]/g, (letter) => ligatures[letter] ?? letter)
}

/** Its letters and digits alone: `GTX-Pro` and `gtx pro` are alike. */
export function compact(text: string): string {
  return fold(text).replaceAll(/[^\p{L}\p{N}]+/gu, '')
}

/** Its words, folded: `foundedYear`, `Founded in` and `year_founded` share some. */
export function wordsIn(text: string): string[] {
  return fold(text.replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2'))
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
}

/**
 * Fewest insertions, deletions, replacements and swaps of neighbours that make one text of the other.
 *
 * Optimal string alignment; past `limit` the answer is `limit + 1`.
 */
export function distance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1
  let older: number[] = []
  let old = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i]
    let least = i
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1]
      let steps = Math.min((row[j - 1] ?? 0) + 1, (old[j] ?? 0) + 1, (old[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
        steps = Math.min(steps, (older[j - 2] ?? 0) + 1)
      row.push(steps)
      least = Math.min(least, steps)
    }
    if (least > limit) return limit + 1
    older = old
    old = row
  }
  return old[right.length] ?? limit + 1
}

/** How alike two texts are, 0 to 1; 1 when they differ only in case, accents, spaces and punctuation. */
export function likeness(left: string, right: string): number {
  const [a, b] = [compact(left), compact(right)]
  if (a === b) return a === '' ? 0 : 1
  const longest = Math.max(a.length, b.length)
  // A slip of the pen, not another word: one in four letters, and no more than three.
  const limit = Math.min(3, Math.floor(longest / 4))
  const steps = distance(a, b, limit)
  return steps > limit ? 0 : 1 - steps / longest
}

/** The known value most like a text; none when nothing is close, or two are equally so. */
export function closest(text: string, known: Iterable<string>): string | undefined {
  let best: { value: string; score: number } | undefined
  let tied = false
  const holding: string[] = []
  const words = wordsIn(text)
  for (const value of known) {
    const score = likeness(text, value)
    if (score > 0 && best && score === best.score && compact(value) !== compact(best.value)) tied = true
    if (score > 0 && (!best || score > best.score)) {
      best = { value, score }
      tied = false
    }
    const its = wordsIn(value)
    if (words.length > 0 && its.length > words.length && words.every((word) => its.includes(word))) holding.push(value)
  }
  if (best) return tied ? undefined : best.value
  return holding.length === 1 ? holding[0] : undefined
}
