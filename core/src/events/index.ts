import type { JobDefinition } from '../plugins/define-plugin.ts'
import { DeliveryDied } from './deliveries.ts'
import { nightlyEventRetention } from './retention.ts'

export { EventCatalog } from './catalog.ts'
export { Deliveries } from './deliveries.ts'
export { LiveStream } from './live.ts'
export { eventPermissions } from './permissions.ts'
export { replayKind, runReplay } from './replay.ts'
export { forgetEvents, retentionKind } from './retention.ts'
export { eventRoutes } from './routes.ts'
export { mergeEvents, recordEvents } from './record-events.ts'
export { keepSubscriptions } from './subscriptions.ts'

/** What delivery itself tells. */
export const deliveryEvents = [DeliveryDied]

export const eventJobs: readonly JobDefinition[] = [nightlyEventRetention]
