/** Direction in which a sort such as `-amount,name` orders by a field. */
export function sortOf(sort: string, field: string): 'up' | 'down' | undefined {
  const keys = sort.split(',')
  if (keys.includes(field)) return 'up'
  return keys.includes(`-${field}`) ? 'down' : undefined
}

/**
 * The sort after a click on a column's head: up, down, none.
 *
 * @param adds - true keeps the other keys, as Shift does
 */
export function nextSort(sort: string, field: string, adds: boolean): string {
  const direction = sortOf(sort, field)
  const next = direction === undefined ? field : direction === 'up' ? `-${field}` : ''
  if (!adds) return next
  const keys = sort.split(',').filter(Boolean)
  const at = keys.findIndex((it) => it === field || it === `-${field}`)
  if (at < 0) return [...keys, next].join(',')
  return keys.toSpliced(at, 1, ...(next ? [next] : [])).join(',')
}
