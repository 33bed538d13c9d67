import type { RecordSignal, Signal } from '../database/signals.ts'

/** Under which the ledger keeps what people decided about deliveries; no resource of that name can be read or written. */
export const deliveryEntry = 'core.delivery'

/** Tells open tabs and other processes that a delivery has died, or that somebody decided about one. */
export function openDelivery(event: string): RecordSignal {
  return { resource: deliveryEntry, id: event, action: 'update', version: 1 }
}

/** Whether a hint is about deliveries that people look at. */
export function changesDeliveries(signal: Signal): boolean {
  return signal.kind === 'records' && signal.changes.some(({ resource }) => resource === deliveryEntry)
}
