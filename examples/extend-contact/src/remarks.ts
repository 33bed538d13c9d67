import type { Remark } from '@socle/example-slot-provider/contract'

/** Whoever meets a member knows by which tier to greet them. */
export const memberRemark: Remark = async (contact, { records, t }) => {
  const { data } = await records.get('core.contact', contact)
  const points = data['loyaltyPoints']
  return typeof points === 'number' ? t('loyalty.remark', { points }) : undefined
}
