import { defineEntity, definePlugin, defineResource, p, recordBase } from '@socle/sdk'

export const GreetingSchema = defineEntity({
  name: 'Greeting',
  schema: 'hello',
  tableName: 'greeting',
  properties: { ...recordBase(), text: p.string() },
})
export class Greeting extends GreetingSchema.class {}
GreetingSchema.setClass(Greeting)

const greetings = defineResource(Greeting, { path: 'greetings', title: 'text', icon: 'hand', list: ['text', 'owner'] })

/** The smallest plugin: a table, its API and screens, and a screen of its own. */
export const helloPlugin = definePlugin({
  id: 'hello',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Hello', fr: 'Bonjour' },
  entities: [GreetingSchema],
  resources: [greetings],
  migrations: new URL('../migrations/', import.meta.url),
  i18n: new URL('./i18n/', import.meta.url),
  ui: {
    entry: './ui',
    screens: [
      {
        id: 'hello.wall',
        path: '/hello/wall',
        title: { en: 'Wall', fr: 'Mur' },
        icon: 'hand',
        tag: 'hello-wall',
        permission: 'hello.greeting.read',
        nav: {},
      },
    ],
  },
})
