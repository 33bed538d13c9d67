import { defineEntity, p } from '@mikro-orm/core'
import { defineError } from '../src/errors.ts'
import { contribution, definePlugin, subscriber, type PluginDefinition } from '../src/plugins/define-plugin.ts'
import { definePoint, defineSlot } from '../src/plugins/tokens.ts'
import { defineGuard, defineResource, link } from '../src/records/define-resource.ts'
import { recordBase } from '../src/records/record-base.ts'

const NoteSchema = defineEntity({
  name: 'Note',
  schema: 'notes',
  tableName: 'note',
  properties: {
    ...recordBase(),
    title: p.string(),
    kept: p.uuid().nullable(),
    cleared: p.uuid().nullable(),
    needed: p.uuid().nullable(),
  },
})
class Note extends NoteSchema.class {}
NoteSchema.setClass(Note)

export const Endings = definePoint<string>('notes/endings@1')
const noteTabs = defineSlot('notes:note.tabs@1')
const greetingRude = defineError<Record<string, never>>(
  'GREETING_RUDE',
  409,
  () => 'Notes do not greet so. Choose kinder words.',
)

const greeting = 'hello.greeting'

/** Notes that point at another plugin's records, and parts that wake with that plugin, from a version on. */
export function notesPlugin(range = '^1.0.0', heard: string[] = []): PluginDefinition {
  const when = { plugin: 'hello', range }
  return definePlugin({
    id: 'notes',
    version: '1.0.0',
    platform: '^1.0.0',
    title: { en: 'Notes', fr: 'Notes' },
    optional: { hello: '*' },
    entities: [NoteSchema],
    resources: [
      defineResource(Note, {
        path: 'notes',
        title: 'title',
        icon: 'sticky-note',
        fields: {
          kept: link(greeting),
          cleared: link(greeting, { onTargetGone: 'clear' }),
          needed: link(greeting, { onTargetGone: 'refuse' }),
        },
        list: ['title', 'kept', 'cleared', 'needed'],
      }),
    ],
    points: [Endings],
    contributes: [contribution(Endings, 'alone'), contribution(Endings, 'together', { when })],
    guards: [
      defineGuard(
        'notes.note',
        ['create'],
        ({ record }) => {
          if (record['title'] === 'Rude') throw greetingRude({})
        },
        { when },
      ),
    ],
    subscribers: [
      subscriber(
        'hear',
        'notes.note.created',
        async ({ key }) => {
          heard.push(key)
        },
        { when },
      ),
    ],
    slots: [noteTabs],
    migrations: new URL('./fixtures/notes/', import.meta.url),
    ui: {
      entry: './ui',
      fills: [{ id: 'notes.greeted', slot: noteTabs, tag: 'notes-greeted', when }],
      commands: [{ id: 'notes.greet', title: { en: 'Greet', fr: 'Saluer' }, path: '/notes/notes', when }],
    },
  })
}
