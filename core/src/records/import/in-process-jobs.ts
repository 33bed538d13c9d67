import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Actor, Locale, Workspace } from '../../actor.ts'
import type { Context } from '../../context.ts'
import type { JobHandler, JobRequest, JobTools } from '../../jobs/job.ts'
import type { Kernel } from '../../kernel.ts'
import { permissionDenied } from '../../permissions/errors.ts'

/** What an import asks of whoever runs its work in the background. */
export interface JobRunner {
  register<P>(kind: string, handler: JobHandler<P>): void
  enqueue(request: JobRequest, ctx?: Context): Promise<string>
}

/** Whose rights a job has. */
interface Starter {
  readonly type: 'user' | 'key'
  readonly id: string
}

/** Runs jobs in this process as soon as they are asked for. They do not outlive it. */
export class InProcessJobs implements JobRunner {
  readonly #kernel: Kernel
  readonly #handlers = new Map<string, JobHandler>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  register<P>(kind: string, handler: JobHandler<P>): void {
    this.#handlers.set(kind, handler as JobHandler)
  }

  async enqueue(request: JobRequest, ctx?: Context): Promise<string> {
    const id = uuidv7()
    const actor: Starter | undefined =
      request.actor === undefined ? startedBy(ctx) : { type: 'user', id: request.actor }
    const begin = () =>
      void setImmediate(() => {
        this.#run(id, request, actor).catch((error: unknown) => {
          this.#kernel.parts.log.error({ err: error, kind: request.kind }, 'a job failed')
        })
      })
    if (ctx) ctx.afterCommit(begin)
    else begin()
    return id
  }

  async #run(id: string, { workspace, kind, payload = {} }: JobRequest, actor: Starter | undefined): Promise<void> {
    const tools: JobTools = {
      signal: new AbortController().signal,
      unit: async (work, cause) => {
        const place = await this.#kernel.workspace(workspace)
        if (!place || !actor) throw new Error(`The job ${kind} belongs to nobody.`)
        const who = await this.#who(place, actor)
        return this.#kernel.unit(
          { workspace: place, ...who, plugin: 'core', cause: { origin: 'job', reason: kind, ...cause } },
          work,
        )
      },
      progress: async () => {},
    }
    await this.#handlers.get(kind)?.(
      { id, workspace, kind, payload, progress: 0, total: undefined, actor: actor?.id } as never,
      tools,
    )
  }

  /** Rights are asked for anew with every unit: who loses them meanwhile goes no further. */
  async #who(workspace: Workspace, { type, id }: Starter) {
    const { database, authorities } = this.#kernel.parts
    const table = type === 'user' ? sql`core.member` : sql`core.api_key`
    const { rows } = await database.transaction({ workspace: workspace.id }, (tx) =>
      sql<{ name: string; locale: Locale | null; role: string | null }>`
        select name, to_jsonb(t) ->> 'locale' as locale, to_jsonb(t) ->> 'role_id' as role from ${table} t
        where workspace = ${workspace.id}::uuid and id = ${id}::uuid and deleted_at is null
          and coalesce(to_jsonb(t) ->> 'state', 'active') = 'active' and to_jsonb(t) ->> 'revoked_at' is null`.execute(
        tx,
      ),
    )
    const [row] = rows
    if (!row) throw permissionDenied({ permission: 'core.import' })
    const actor: Actor = { type, id, name: row.name, locale: row.locale ?? workspace.locale }
    const holder = row.role === null ? { user: id } : { role: row.role }
    return { actor, authority: await authorities.of(workspace, holder) }
  }
}

function startedBy(ctx: Context | undefined): Starter | undefined {
  const actor = ctx?.actor
  return actor?.id !== undefined && (actor.type === 'user' || actor.type === 'key')
    ? { type: actor.type, id: actor.id }
    : undefined
}
