import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTestApp } from '../src/testing/index.ts'
import { brokenSubscriber, follow } from './broken-subscriber.ts'

test(
  'platform-05: of fifty events told while a plugin is off and ten while it comes on, each is heard once and in order',
  { timeout: 60_000 },
  async () => {
    const { plugin, heard } = brokenSubscriber()
    await using app = await createTestApp({ plugins: [plugin] })
    const { admin } = app
    const records: string[] = []
    for (const name of ['One', 'Two', 'Three', 'Four', 'Five'])
      records.push((await admin.post('/api/core/accounts', { name })).body.data.id)
    const versions = new Map(records.map((id) => [id, 1]))
    const change = async (id: string) => {
      const version = versions.get(id) ?? 1
      const { status } = await admin.patch(`/api/core/accounts/${id}`, { version, city: `City ${version}` })
      expect(status).toBe(200)
      versions.set(id, version + 1)
    }
    await admin.post('/api/core/plugins/broken-subscriber/disable')
    // Others look for work all the time, as they do in a running process.
    await app.app.start()
    for (let nth = 0; nth < 10; nth += 1) for (const id of records) await change(id)
    // Counted in one statement: what is found waiting is set aside meanwhile.
    const open = async () => {
      const { subscribers } = (await admin.get('/api/core/events/subscribers')).body.data
      const { waiting, held } = subscribers.find(({ id }: { id: string }) => id === follow)
      return waiting + held
    }
    expect(await open()).toBe(50)
    const [switched] = await Promise.all([
      admin.post('/api/core/plugins/broken-subscriber/enable'),
      (async () => {
        for (let nth = 0; nth < 2; nth += 1) for (const id of records) await change(id)
      })(),
    ])
    expect(switched.status).toBe(200)
    while ((await open()) > 0) await pause(20)
    expect(heard.tries).toBe(60)
    for (const id of records)
      expect(heard.steps.filter(({ record }) => record === id).map(({ version }) => version)).toEqual(
        Array.from({ length: 12 }, (_, nth) => nth + 2),
      )
  },
)
