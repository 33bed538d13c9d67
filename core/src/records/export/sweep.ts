import { sql } from 'kysely'
import type { JobDefinition } from '../../plugins/define-plugin.ts'

/**
 * Takes away files whose time is over, what exports that were cancelled or failed had written, and pieces of uploads that
 * never came to an import. One that is still worked on, or paused, keeps its beginning.
 */
export const sweepFiles: JobDefinition = {
  id: 'file-sweep',
  schedule: '20 3 * * *',
  async run({ sql: tx, workspace, clock }) {
    const now = clock.now()
    const dayAgo = new Date(now.getTime() - 86_400_000).toISOString()
    await sql`
      with over as (
        select p.file from core.file_piece p
          left join core.import i on i.workspace = p.workspace and i.id = p.file
          left join core.export e on e.workspace = p.workspace and e.id = p.file
          left join core.export_run r on r.workspace = p.workspace and r.export = p.file
          left join core.privacy_request q on q.workspace = p.workspace and q.id = p.file
          left join core.plugin_archive a on a.workspace = p.workspace and a.id = p.file
          left join core.job j on j.id = coalesce(r.job, q.job)
        where p.workspace = ${workspace.id}::uuid and p.nth = 0 and p.at < ${dayAgo}::timestamptz and i.id is null and a.id is null
          and (e.id is null or coalesce(e.expires_at, e.created_at + interval '7 days') <= ${now.toISOString()}::timestamptz)
          and (q.id is null or q.file_until is null or q.file_until <= ${now.toISOString()}::timestamptz)
          and (j.id is null or j.state in ('done', 'failed', 'cancelled')))
      delete from core.file_piece p using over where p.workspace = ${workspace.id}::uuid and p.file = over.file`.execute(
      tx,
    )
  },
}
