/** The name that was probably meant: at most a third of its letters differ. `undefined` when none is near. */
export function closest(written: string, names: Iterable<string>): string | undefined {
  if (written.length > 64) return undefined
  let best: { name: string; distance: number } | undefined
  for (const name of names) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase())
    const allowed = Math.max(1, Math.floor(Math.max(written.length, name.length) / 3))
    if (distance <= allowed && (!best || distance < best.distance)) best = { name, distance }
  }
  return best?.name
}

/** Letters to insert, drop, replace or swap with their neighbour (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let before: number[] = []
  let above = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row += 1) {
    const line = [row]
    for (let column = 1; column <= right.length; column += 1) {
      const differs = left[row - 1] === right[column - 1] ? 0 : 1
      let least = Math.min(above[column]! + 1, line[column - 1]! + 1, above[column - 1]! + differs)
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      if (swapped) least = Math.min(least, before[column - 2]! + 1)
      line.push(least)
    }
    before = above
    above = line
  }
  return above[right.length]!
}
