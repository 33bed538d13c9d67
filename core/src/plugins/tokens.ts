/** Whose a token, a slot or a resource is: `core:home.widgets@1`, `sales/lead-scorers@1` and `sales.opportunity` all begin with it. */
export function ownerOf(id: string): string {
  return id.split(/[:/.]/, 1)[0] ?? id
}

/** A service others may use, by a token that is also its type: `defineService<Forecasts>('sales/forecasts@1')`. */
export interface ServiceDefinition<S> {
  readonly kind: 'service'
  readonly id: string
  /** Only for the type checker. */
  readonly type?: S
}

export function defineService<S>(id: `${string}/${string}@${number}`): ServiceDefinition<S> {
  return { kind: 'service', id }
}

/** A place in a plugin's server code that others may add to. */
export interface PointDefinition<C> {
  readonly kind: 'point'
  readonly id: string
  readonly type?: C
}

export function definePoint<C>(id: `${string}/${string}@${number}`): PointDefinition<C> {
  return { kind: 'point', id }
}

/** A place on a screen that others may fill; `context` is what every fill is handed. */
export interface SlotDefinition<C> {
  readonly kind: 'slot'
  readonly id: string
  readonly type?: C
}

export function defineSlot<C>(id: `${string}:${string}@${number}`): SlotDefinition<C> {
  return { kind: 'slot', id }
}
