import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import { ConsentService, mirrored, fieldSource } from './consent-service.ts'
import { objectionStands } from './errors.ts'
import type { PrivacyKeys } from './keys.ts'

/**
 * The base is the truth, a contact's fields are its mirror: ticking one records an objection, and one that came with its
 * proof is not unticked away. A write that only brings the mirror in line records nothing.
 */
export function consentGuards(keys: () => PrivacyKeys): readonly GuardDefinition[] {
  return [
    defineGuard(
      'core.contact',
      ['create', 'update'],
      async ({ record, before, changed }, ctx) => {
        for (const { field, channel } of mirrored) {
          const wanted = record[field] === true
          if (!changed.has(field) || (!wanted && !before)) continue
          const consents = new ConsentService(ctx, keys())
          const person = { resource: 'core.contact', record: record.id } as const
          const { stands, proven } = await consents.objection(person, channel)
          if (stands === wanted) continue
          if (proven) throw objectionStands({ field: ctx.t(`core.contact.${field}`) })
          await consents.keep({ person, channel, action: wanted ? 'objection' : 'reversal', source: fieldSource })
        }
      },
      { independent: true },
    ),
  ]
}
