/** Where a condition stands in the text it was read from: UTF-16 offsets from 0. */
export interface Position {
  readonly start: number
  readonly end: number
  /** Where its path begins. */
  readonly path?: number
  /** Where each of its constants stands. */
  readonly values?: readonly { readonly start: number; readonly end: number }[]
}

// Beside the tree, not in it: the tree is stored and compared, and the same condition means the same wherever it stood.
const positions = new WeakMap<object, Position>()

export function place<T extends object>(node: T, position: Position): T {
  positions.set(node, position)
  return node
}

export function positionOf(node: object): Position | undefined {
  return positions.get(node)
}
