import { sql } from 'kysely'
import type { JobDefinition } from '../plugins/define-plugin.ts'

/** Forgets words that no document holds any more: a slip is not mended into one, and none tells of what was erased. */
export const sweepSearch: JobDefinition = {
  id: 'search-sweep',
  schedule: '40 3 * * *',
  async run({ sql: tx }) {
    await sql`select core.search_sweep()`.execute(tx)
  },
}
