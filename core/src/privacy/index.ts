import type { EntitySchema } from '@mikro-orm/core'
import type { Jobs } from '../jobs/index.ts'
import { contribution, provide } from '../plugins/define-plugin.ts'
import { accessJob, accessKind } from './access.ts'
import { commercialDocuments } from './commercial-documents.ts'
import { consentGuards } from './consent-guards.ts'
import { consentRoutes } from './consent-routes.ts'
import { ConsentService } from './consent-service.ts'
import { Consents, OptOutRecorded } from './consents.ts'
import {
  AccountErased,
  ContactErased,
  eraseJob,
  erasureKind,
  LeadErased,
  rehearsalKind,
  rehearseJob,
} from './erasure.ts'
import type { PrivacyKeys } from './keys.ts'
import { breakOff, privacyRequests, PrivacyRequestSchema } from './privacy-request.ts'
import { requestRoutes } from './request-routes.ts'
import { PrivacyStores } from './stores.ts'
import { nightlyRetention, retentionJob, retentionKind } from './retention.ts'
import { retentionRoutes } from './retention-routes.ts'
import { retentionRules, RetentionRuleSchema } from './retention-rule.ts'
import { tombstoneGuards, type PrivacyParts } from './tombstones.ts'

// Consent, requests, erasure and retention, as the core's own plugin value lists them.

export { privacyPermissions } from './permissions.ts'

export const privacyEntities: readonly EntitySchema[] = [
  PrivacyRequestSchema as unknown as EntitySchema,
  RetentionRuleSchema as unknown as EntitySchema,
]

export const privacyResources = [privacyRequests, retentionRules]

export const privacyJobs = [nightlyRetention]

export const privacyEvents = [OptOutRecorded, ContactErased, LeadErased, AccountErased]

export const privacyPoints = [PrivacyStores]

export const privacyContributes = [contribution(PrivacyStores, commercialDocuments)]

export const privacyGuards = (parts: PrivacyParts) => [...tombstoneGuards(parts), ...consentGuards(parts.keys)]

export const privacyProvides = (keys: () => PrivacyKeys) => [
  provide(Consents, (ctx) => new ConsentService(ctx, keys())),
]

export const privacyRoutes = (keys: () => PrivacyKeys) => [
  ...consentRoutes(keys),
  ...requestRoutes(keys),
  ...retentionRoutes,
]

/** Says who does the long work of this room. */
export function registerPrivacyJobs(jobs: Jobs, keys: () => PrivacyKeys): void {
  jobs.register(rehearsalKind, rehearseJob, breakOff)
  jobs.register(erasureKind, eraseJob(keys), breakOff)
  jobs.register(accessKind, accessJob(keys), breakOff)
  jobs.register(retentionKind, retentionJob(keys))
}
