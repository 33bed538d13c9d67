import { defineGuard, type GuardDefinition } from '../../records/define-resource.ts'
import { systemAuthority } from '../system-authority.ts'
import { demandMayShare } from './share-service.ts'

/** Whatever way a share is written by, undoing included: by whoever may share its record. Merging moves shares by itself. */
const shareIsGivenByWhoMay = defineGuard(
  'core.share',
  ['create', 'update', 'delete', 'restore'],
  async ({ record }, ctx) => {
    if (ctx.authority === systemAuthority) return
    await demandMayShare(ctx, { resource: String(record['resource']), records: [String(record['record'])] })
  },
  { independent: true },
)

export const sharingGuards: readonly GuardDefinition[] = [shareIsGivenByWhoMay]
