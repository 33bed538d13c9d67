import type { Context } from '../../context.ts'
import { UserService } from '../../identity/user-service.ts'
import type { RecordJson, Records } from '../records.ts'
import type { Resource } from '../registry.ts'

/** How records that have routes of their own are imported: what their screens would do around the write. */
interface ManagedTarget {
  /** Permission that managing them takes, instead of the engine's own. */
  readonly permission: string
  /** Fields a file may fill. */
  readonly fields: readonly string[]
  /** Values of a new record that no file gives. */
  defaults(ctx: Context): Readonly<Record<string, unknown>>
  /** Does what follows a write. */
  wrote?(ctx: Context, record: RecordJson, values: Readonly<Record<string, unknown>>): Promise<void>
}

const managed: Readonly<Record<string, ManagedTarget>> = {
  // A person from a file has no sign-in and is sent nothing: inviting is a step of its own.
  'core.user': {
    permission: 'core.user.manage',
    fields: ['name', 'email', 'locale', 'manager', 'team'],
    defaults: ({ workspace }) => ({ state: 'invited', locale: workspace.locale, owner: null, team: null }),
    async wrote(ctx, record, { team }) {
      if (typeof team === 'string') await new UserService(ctx).setTeams(record.id, [team])
    },
  },
  'core.team': {
    permission: 'core.user.manage',
    fields: ['name', 'parent', 'owner'],
    defaults: () => ({ owner: null, team: null }),
  },
}

/** Kinds of records that are only changed by whoever manages people, whatever file brings them. */
export function isManaged(resource: string): boolean {
  return Object.hasOwn(managed, resource) || resource === 'core.team-member'
}

/** One kind of record as a file fills it. */
export interface ImportTarget {
  readonly resource: Resource
  /** Why nobody may import it, else undefined. */
  readonly closed: boolean
  mayImport(ctx: Context): boolean
  mayWrite(ctx: Context, field: string): boolean
  /** The engine with the rights this import has. */
  records(ctx: Context): Records
  defaults(ctx: Context): Readonly<Record<string, unknown>>
  /** Does what follows a write. */
  readonly wrote?: ManagedTarget['wrote']
}

/** Set by the engine itself. */
const bookkeeping = new Set(['id', 'version', 'createdAt', 'updatedAt', 'createdBy', 'updatedBy', 'deletedAt'])

export function targetOf(resource: Resource): ImportTarget {
  const own = Object.hasOwn(managed, resource.id) ? managed[resource.id] : undefined
  const isFillable = (name: string) => {
    const field = resource.fields.get(name)
    return field !== undefined && !field.readonly && field.type !== 'json' && !bookkeeping.has(name)
  }
  if (own) {
    return {
      resource,
      closed: false,
      mayImport: ({ authority }) => authority.may(own.permission),
      mayWrite: (_, field) => own.fields.includes(field) && isFillable(field),
      records: (ctx) => ctx.asSystem().records,
      defaults: own.defaults,
      ...(own.wrote ? { wrote: own.wrote } : {}),
    }
  }
  return {
    resource,
    closed: resource.options.readonly === true,
    mayImport: ({ authority }) =>
      (['import', 'create', 'update'] as const).every(
        (action) => action === 'update' || authority.compile(resource, action).allowed,
      ),
    mayWrite: ({ authority }, field) =>
      isFillable(field) &&
      (authority.compile(resource, 'create').writable(field) || authority.compile(resource, 'update').writable(field)),
    records: (ctx) => ctx.records,
    defaults: () => originOf(resource),
  }
}

/** Imported history says so where records tell where they came from. */
function originOf({ fields }: Resource): Readonly<Record<string, unknown>> {
  const channel = fields.get('sourceChannel')
  return channel?.options?.some(({ value }) => value === 'import') ? { sourceChannel: 'import' } : {}
}
