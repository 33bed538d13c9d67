import { sql, type SqlBool } from 'kysely'
import type { Access, Authority } from './authority.ts'

const everything: Access = {
  allowed: true,
  everything: true,
  reach: 'all',
  where: () => sql<SqlBool>`true`,
  granted: () => sql<SqlBool>`true`,
  readable: () => true,
  masked: () => false,
  writable: () => true,
}

/** The platform itself: migrations of data, subscribers, jobs, demo data. What it does still stands in the ledger. */
export const systemAuthority: Authority = {
  compile: () => everything,
  may: () => true,
  holds: () => true,
  teams: [],
}
