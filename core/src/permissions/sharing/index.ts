import type { EntitySchema } from '@mikro-orm/core'
import type { ResourceDefinition } from '../../records/define-resource.ts'
import { shares } from './resource.ts'
import { ShareSchema } from './share.ts'

export { sharingGuards } from './guards.ts'
export { sharingRoutes } from './routes.ts'

export const sharingEntities = [ShareSchema] as unknown as readonly EntitySchema[]

export const sharingResources: readonly ResourceDefinition[] = [shares]
