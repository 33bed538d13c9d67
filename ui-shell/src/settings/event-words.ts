import { format, icon, pill, resource, shell, t } from '@socle/sdk/ui'
import type { Tone } from '@socle/sdk/ui'
import { html } from 'lit'
import { eventWords } from '../origin-words.ts'
import { countedDeliveries } from './event-api.ts'
import type { EventView, OpenState, Subscriber } from './event-api.ts'

const states: Readonly<Record<OpenState | 'done' | 'skipped', readonly [Tone, string]>> = {
  done: ['success', 'circle-check'],
  waiting: ['info', 'clock'],
  held: ['neutral', 'moon'],
  dead: ['danger', 'circle-x'],
  blocked: ['warning', 'lock'],
  skipped: ['neutral', 'circle-slash'],
}

/** What became of an event at a subscriber. */
export function deliveryPill(state: keyof typeof states) {
  return pill(t(`shell.events.state.${state}`), ...states[state])
}

/** What happened, as the beginning of a line. */
export function happened(event: string): string {
  const words = eventWords(event)
  return words === event ? words : words.charAt(0).toLocaleUpperCase() + words.slice(1)
}

const titles = new Map<string, string>()

/** What plugins are called that are off here: the shell's document knows those that are on. */
export function rememberPlugins(subscribers: readonly Subscriber[]): void {
  for (const { plugin, pluginTitle } of subscribers) titles.set(plugin, pluginTitle)
}

export function pluginTitle(id: string): string {
  if (id === 'core') return 'Socle'
  return shell()?.plugins.find((it) => it.id === id)?.title ?? titles.get(id) ?? id
}

/** `sales/make-client` as “Sales · make-client”: subscribers have no title of their own. */
export function subscriberName(id: string): string {
  const [plugin = '', ...rest] = id.split('/')
  return `${pluginTitle(plugin)} · ${rest.join('/')}`
}

/** A figure that the server did not count to its end. */
export function counted(count: number): string {
  return count >= countedDeliveries ? t('shell.events.atLeast', { count }) : format.number(count)
}

export function eventIcon({ resource: id }: Pick<EventView, 'resource'>) {
  return icon((id && resource(id)?.icon) || 'activity')
}

export function eventMeta({ at, version }: EventView) {
  return html`<time datetime=${at} title=${format.relative(at)}>${format.instant(at)}</time> ·
    ${t('shell.events.version', { version })}`
}
