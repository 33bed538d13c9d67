import { Graph, layout } from '@dagrejs/dagre'

export const nodeSize = { width: 184, height: 52 }
const margin = 8

interface Point {
  readonly x: number
  readonly y: number
}

export interface Place extends Point {
  readonly id: string
}

export interface Drawn {
  readonly width: number
  readonly height: number
  /** Middle of each node. */
  readonly places: readonly Place[]
  /** The line of each pair, `from to`, from edge to edge. */
  readonly lines: ReadonlyMap<string, readonly Point[]>
}

/** Lays modules out by who holds on to whom, those that are held on to on the right. */
export function layOut(
  nodes: readonly string[],
  pairs: readonly { readonly from: string; readonly to: string }[],
): Drawn {
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 16, ranksep: 88, marginx: margin })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const id of nodes) graph.setNode(id, { ...nodeSize })
  for (const { from, to } of pairs) graph.setEdge(from, to)
  layout(graph)
  const places = nodes.map((id): Place => {
    const { x, y } = graph.node(id) as Point
    return { id, x, y }
  })
  const lines = pairs.map(({ from, to }) => {
    const [start, end] = [from, to].map((id) => graph.node(id) as Point) as [Point, Point]
    const { points } = graph.edge(from, to) as { points: readonly Point[] }
    // Lines begin and end in the middle of a side; what is between keeps them off the nodes of other ranks.
    const side = (Math.sign(end.x - start.x) * nodeSize.width) / 2
    return {
      key: `${from} ${to}`,
      points: [{ x: start.x + side, y: start.y }, ...points.slice(1, -1), { x: end.x - side, y: end.y }],
    }
  })
  // Lines may pass above the first node or below the last.
  const heights = [
    ...places.flatMap(({ y }) => [y - nodeSize.height / 2, y + nodeSize.height / 2]),
    ...lines.flatMap(({ points }) => points.map(({ y }) => y)),
  ]
  const widths = places.map(({ x }) => x + nodeSize.width / 2)
  const lower = <P extends Point>(it: P): P => ({ ...it, y: it.y - Math.min(...heights) + margin })
  return {
    width: Math.max(0, ...widths) + margin,
    height: heights.length > 0 ? Math.max(...heights) - Math.min(...heights) + 2 * margin : 0,
    places: places.map(lower),
    lines: new Map(lines.map(({ key, points }) => [key, points.map(lower)])),
  }
}

/** The node in a direction: one that a line leads to before any other, the nearest of them. */
export function nextPlace(
  places: readonly Place[],
  at: string,
  direction: 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown',
  isTied: (other: string) => boolean,
): string | undefined {
  const here = places.find(({ id }) => id === at)
  if (!here) return undefined
  const across = direction === 'ArrowLeft' || direction === 'ArrowRight'
  const sign = direction === 'ArrowLeft' || direction === 'ArrowUp' ? -1 : 1
  const ahead = places
    .map((it) => ({
      id: it.id,
      by: sign * (across ? it.x - here.x : it.y - here.y),
      far: Math.hypot(it.x - here.x, it.y - here.y),
    }))
    .filter(({ by }) => by > 1)
    .toSorted((a, b) => a.far - b.far)
  return (ahead.find(({ id }) => isTied(id)) ?? ahead[0])?.id
}
