// What the SDK and hosts may import, listed by hand.
// Builds public pages; escapes whatever it is given.
export { html } from 'hono/html'
export type { Actor, Locale, Workspace } from './actor.ts'
export { createApp, type App, type AppOptions } from './app.ts'
export type { Clock } from './clock.ts'
export { environmentSchema, readEnvironment, type Environment } from './config.ts'
export type { Cause, Context, ContextClock } from './context.ts'
export { Account } from './entities/account.ts'
export { Activity } from './entities/activity.ts'
export { Contact } from './entities/contact.ts'
export { InvoiceLine } from './entities/invoice-line.ts'
export { Invoice } from './entities/invoice.ts'
export { Lead } from './entities/lead.ts'
export { OrderLine } from './entities/order-line.ts'
export { Order } from './entities/order.ts'
export { Payment } from './entities/payment.ts'
export { Product } from './entities/product.ts'
export { LeadTargets, type LeadTarget } from './entities/lead-conversion.ts'
export {
  KnownAccounts,
  KnownSources,
  type Asker,
  type KnownAnswer,
  type KnownQuestionInput,
  type KnownSource,
} from './entities/known-accounts.ts'
export { lifecycleRule, Lifecycles } from './entities/lifecycle.ts'
export { defineError, SocleError, type ErrorFactory, type FieldFault } from './errors.ts'
export { defineEvent, type EventDefinition, type StoredEvent } from './events/event.ts'
export { Member } from './identity/entities/member.ts'
export { Team } from './identity/entities/team.ts'
export { PartnerPeople } from './identity/partner-people.ts'
export type { FieldGrant, Grant } from './permissions/grant.ts'
export {
  contribution,
  definePage,
  definePages,
  definePermission,
  definePlugin,
  defineRoute,
  isPlugin,
  pagePath,
  provide,
  subscriber,
  subscriberOfMany,
  type Capabilities,
  type CommandDefinition,
  type DemoData,
  type FillDefinition,
  type JobDefinition,
  type PageAnswer,
  type PageDefinition,
  type PermissionDefinition,
  type PluginDefinition,
  type PublicPages,
  type RoleTemplate,
  type RouteDefinition,
  type ScreenDefinition,
  type Subscriber,
  type Words,
} from './plugins/define-plugin.ts'
export type { UninstallMode } from './plugins/removal/places.ts'
export { manifestOf, type PluginManifest } from './plugins/manifest.ts'
export { integrityOf, readArchive, type ArchiveManifest, type PluginArchive } from './plugins/store/archive.ts'
export type { Channel } from './privacy/addresses.ts'
export {
  Consents,
  OptOutRecorded,
  type ChannelState,
  type ConsentRecord,
  type ContactQuestion,
  type RefusalReason,
} from './privacy/consents.ts'
export { AccountErased, ContactErased, LeadErased } from './privacy/erasure.ts'
export {
  PrivacyStores,
  type CollectedFile,
  type LegalHold,
  type PrivacyStore,
  type PrivacySubject,
} from './privacy/stores.ts'
export {
  defineSettings,
  setting,
  type SettingDefinition,
  type SettingsDefinition,
  type SettingsOf,
} from './plugins/settings/define-settings.ts'
export {
  definePoint,
  defineService,
  defineSlot,
  type PointDefinition,
  type ServiceDefinition,
  type SlotDefinition,
} from './plugins/tokens.ts'
export type { PeerCondition } from './plugins/peer-condition.ts'
export {
  defineGuard,
  defineResource,
  link,
  type FieldDefinition,
  type GuardDefinition,
  type GuardedWrite,
  type OnTargetGone,
  type ResourceDefinition,
  type ResourceOptions,
} from './records/define-resource.ts'
export { defineExtension, extensionBase } from './records/sides/define-extension.ts'
export type { ExtensionDefinition, ExtensionOptions } from './records/sides/define-extension.ts'
export { money, recordBase } from './records/record-base.ts'
export type { Page, RecordJson, Records } from './records/records.ts'
export { recycledExitCode, serve, type Served, type ServeOptions } from './serve.ts'
export { uuidv7 } from 'uuidv7'
