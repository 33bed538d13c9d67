import { expect, test } from 'vitest'
import { layOut, nextPlace, nodeSize } from '../src/settings/map-layout.ts'

const pairs = [
  { from: 'stumbling', to: 'sales' },
  { from: 'stumbling', to: 'core' },
  { from: 'sales', to: 'core' },
  { from: 'hello', to: 'core' },
]
const drawn = layOut(['core', 'sales', 'hello', 'stumbling'], pairs)
const place = (id: string) => drawn.places.find((it) => it.id === id)!

test('who is held on to stands to the right of who holds on, and nothing is drawn outside or over another', () => {
  for (const { from, to } of pairs) expect(place(from).x + nodeSize.width).toBeLessThan(place(to).x)
  for (const { points, id } of [
    ...[...drawn.lines].map(([id, points]) => ({ id, points })),
    ...drawn.places.map((it) => ({ id: it.id, points: [it] })),
  ])
    for (const { x, y } of points)
      expect(x >= 0 && x <= drawn.width && y >= 0 && y <= drawn.height, `${id} at ${x}, ${y}`).toBe(true)
  for (const [at, one] of drawn.places.entries())
    for (const other of drawn.places.slice(at + 1))
      expect(Math.abs(one.x - other.x) >= nodeSize.width || Math.abs(one.y - other.y) >= nodeSize.height).toBe(true)
})

test('a module with nothing to hold on to has a place too, and an empty map has no size', () => {
  expect(layOut(['alone'], []).places).toHaveLength(1)
  expect(layOut([], [])).toMatchObject({ places: [], height: 0 })
})

test('arrows go to a module that a line leads to before a nearer one, and nowhere where there is none', () => {
  const tied = (at: string) => (other: string) =>
    pairs.some(({ from, to }) => [from, to].includes(at) && [from, to].includes(other))
  expect(nextPlace(drawn.places, 'stumbling', 'ArrowRight', tied('stumbling'))).toBe('sales')
  expect(nextPlace(drawn.places, 'sales', 'ArrowRight', tied('sales'))).toBe('core')
  expect(nextPlace(drawn.places, 'core', 'ArrowRight', tied('core'))).toBeUndefined()
})
