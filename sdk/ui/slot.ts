import { html } from 'lit'

/** What a slot hands to its fills, by the type of its definition. */
export type SlotContext<S> = S extends { readonly kind: 'slot'; readonly type?: infer C } ? NonNullable<C> : never

/** As a fill has it: a copy that is frozen through and through. */
export type Frozen<T> = unknown extends T ? T : { readonly [Key in keyof T]: Frozen<T[Key]> }

/**
 * A place in a plugin's own screen that others may fill; without fills it takes no room.
 *
 * @typeParam S - `typeof ForecastSide`: the definition stands in the server's part, only its type comes here
 * @param id - of the definition, `sales:forecast.side@1`
 * @param context - handed to every fill as a frozen copy
 *
 * @example
 * slot<typeof ForecastSide>('sales:forecast.side@1', { team })
 */
export function slot<S = never>(id: `${string}:${string}@${number}`, context: SlotContext<S>) {
  return html`<shell-slot name=${id} .context=${context}></shell-slot>`
}
