import {
  AutoScroller,
  Cursor,
  DragDropManager,
  Draggable,
  Droppable,
  Feedback,
  PointerActivationConstraints,
  PointerSensor,
  PreventSelection,
} from '@dnd-kit/dom'

export interface DragListener {
  lifted(id: string): void
  /** Over a column at a place, over a zone (-1), or over nothing. */
  over(target: { key: string; index: number } | undefined): void
  dropped(): void
  cancelled(): void
}

/**
 * Carries cards with mouse, pen and finger: a few pixels with the mouse, a short hold with the finger, so that a swipe
 * still scrolls. The keyboard has its own way in the board.
 */
export class BoardDrag {
  readonly #listener: DragListener
  readonly #manager: DragDropManager
  readonly #cards = new Map<string, Draggable>()
  readonly #targets = new Map<string, Droppable>()

  constructor(listener: DragListener) {
    this.#listener = listener
    this.#manager = new DragDropManager({
      plugins: [AutoScroller, Cursor, PreventSelection, Feedback.configure({ feedback: 'clone', dropAnimation: null })],
      sensors: [
        PointerSensor.configure({
          activationConstraints: (event) =>
            event.pointerType === 'touch'
              ? [new PointerActivationConstraints.Delay({ value: 220, tolerance: 8 })]
              : [new PointerActivationConstraints.Distance({ value: 5 })],
          preventActivation: (event) => event.target instanceof Element && event.target.closest('button') !== null,
        }),
      ],
    })
    const { monitor } = this.#manager
    monitor.addEventListener('dragstart', ({ operation }) => listener.lifted(String(operation.source?.id)))
    monitor.addEventListener('dragmove', () => this.#moved())
    monitor.addEventListener('dragover', () => this.#moved())
    monitor.addEventListener('dragend', ({ canceled }) => (canceled ? listener.cancelled() : listener.dropped()))
  }

  /** Takes over the cards and targets that are on the page now. */
  sync(cards: Iterable<HTMLElement>, targets: Iterable<HTMLElement>, isFixed: boolean): void {
    const cardIds = new Set<string>()
    for (const element of cards) {
      const id = element.dataset['card'] ?? ''
      cardIds.add(id)
      const known = this.#cards.get(id)
      if (!known) this.#cards.set(id, new Draggable({ id, element, disabled: isFixed }, this.#manager))
      else {
        if (known.element !== element) known.element = element
        known.disabled = isFixed
      }
    }
    prune(this.#cards, cardIds)

    const keys = new Set<string>()
    for (const element of targets) {
      const key = element.dataset['target'] ?? ''
      keys.add(key)
      const known = this.#targets.get(key)
      if (known?.element !== element && known) known.element = element
      if (!known) this.#targets.set(key, new Droppable({ id: `to ${key}`, element, data: { key } }, this.#manager))
    }
    prune(this.#targets, keys)
  }

  destroy(): void {
    prune(this.#cards, new Set())
    prune(this.#targets, new Set())
    this.#manager.destroy()
  }

  #moved(): void {
    const { source, position } = this.#manager.dragOperation
    if (!source) return
    const { x, y } = position.current
    const candidates = [...this.#targets.values()].flatMap(({ element, data }) =>
      element instanceof HTMLElement && contains(element.getBoundingClientRect(), x, y)
        ? [{ element, key: String(data['key']) }]
        : [],
    )
    // Zones float above the columns: the smaller target is the one meant.
    const target = candidates.sort((a, b) => a.element.offsetHeight - b.element.offsetHeight)[0]
    if (!target) return this.#listener.over(undefined)
    const isZone = target.element.dataset['zone'] !== undefined
    this.#listener.over({ key: target.key, index: isZone ? -1 : placeAt(target.element, y, String(source.id)) })
  }
}

/** How many cards of the column stand above a height, the carried one not counted. */
function placeAt(column: HTMLElement, y: number, carried: string): number {
  const cards = [...column.querySelectorAll<HTMLElement>('[data-card]')].filter((it) => it.dataset['card'] !== carried)
  return cards.filter((it) => {
    const box = it.getBoundingClientRect()
    return box.top + box.height / 2 < y
  }).length
}

function contains(box: DOMRect, x: number, y: number): boolean {
  return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom
}

function prune(entities: Map<string, { destroy(): void }>, keep: ReadonlySet<string>): void {
  for (const [id, entity] of entities) {
    if (keep.has(id)) continue
    entity.destroy()
    entities.delete(id)
  }
}
