import { defineResource } from '@socle/sdk'
import { Badge } from './entities/badge.ts'

export const badges = defineResource(Badge, {
  path: 'badges',
  title: 'visitor',
  icon: 'scan-barcode',
  list: ['visitor', 'account', 'owner'],
})
