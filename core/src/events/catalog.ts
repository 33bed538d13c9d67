import type { z } from 'zod'
import type { Emission, EventDefinition, StoredEvent } from './event.ts'
import { eventInvalid, eventKeyInvalid, eventUndeclared, eventVersionUnheard } from './errors.ts'
import type { Subscription } from './subscriptions.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Every event the loaded plugins declare, with its payload's schema: nothing else is told or heard. */
export class EventCatalog {
  readonly #definitions = new Map<string, EventDefinition>()

  constructor(definitions: Iterable<EventDefinition> = []) {
    for (const definition of definitions) this.#definitions.set(slot(definition.name, definition.version), definition)
  }

  /**
   * Checks an event that is about to be told.
   *
   * @param plugin - who tells it, for the sentence of a refusal
   * @throws `EVENT_UNDECLARED`, `EVENT_INVALID`, `EVENT_KEY_INVALID` (500): faults of the plugin, not of the caller
   */
  emission<P extends z.ZodType>(plugin: string, event: EventDefinition<P>, payload: z.input<P>, key: string): Emission {
    const { name, version } = event
    const declared = this.#definitions.get(slot(name, version))
    if (!declared) throw eventUndeclared({ event: name, version, plugin })
    if (!uuid.test(key)) throw eventKeyInvalid({ event: name, key })
    return { name, version, key, payload: checked(declared, payload) }
  }

  /**
   * Checks an event again when it is received: the code that told it may have been another release.
   *
   * @throws `EVENT_UNDECLARED`, `EVENT_INVALID` (500)
   * @throws `EVENT_VERSION_UNHEARD` (500) for one that was owed to an earlier release of the subscriber
   */
  received({ id: subscription, version }: Pick<Subscription, 'id' | 'version'>, event: StoredEvent): StoredEvent {
    if (version !== undefined && version !== event.version)
      throw eventVersionUnheard({ subscription, event: event.name, told: event.version, hears: version })
    const declared = this.#definitions.get(slot(event.name, event.version))
    if (!declared) throw eventUndeclared({ event: event.name, version: event.version, plugin: subscription })
    return { ...event, payload: checked(declared, event.payload) }
  }
}

function slot(name: string, version: number): string {
  return `${name}@${version}`
}

function checked(definition: EventDefinition, payload: unknown): unknown {
  const result = definition.payload.safeParse(payload)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const place = issue?.path.length ? `${issue.path.join('.')}: ` : ''
  throw eventInvalid({ event: definition.name, fault: `${place}${issue?.message ?? 'unknown fault'}` })
}
