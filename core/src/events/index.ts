import { DeliveryDied } from './deliveries.ts'

export { EventCatalog } from './catalog.ts'
export { Deliveries } from './deliveries.ts'
export { LiveStream } from './live.ts'
export { mergeEvents, recordEvents } from './record-events.ts'
export { keepSubscriptions } from './subscriptions.ts'

/** What delivery itself tells. */
export const deliveryEvents = [DeliveryDied]
