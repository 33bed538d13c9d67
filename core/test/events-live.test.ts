import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { openDelivery } from '../src/events/delivery-entry.ts'
import { LiveStream, type Listener } from '../src/events/live.ts'
import type { Access, Authority } from '../src/permissions/authority.ts'
import type { ResourceModel } from '../src/records/model.ts'
import { type Bench, kinds, openBench } from './events-fixture.ts'

const pieces: ResourceModel = {
  id: 'probe.piece',
  plugin: 'probe',
  entity: 'piece',
  path: 'pieces',
  schema: 'public',
  table: 'piece',
  fields: new Map(),
  collections: new Map(),
  title: 'name',
}

function access(part: Partial<Access>): Access {
  return {
    allowed: true,
    everything: false,
    where: () => sql`false`,
    granted: () => sql`false`,
    readable: () => true,
    masked: () => false,
    writable: () => true,
    ...part,
  }
}

function authority(to: Partial<Access>): Authority {
  return { compile: () => access(to), may: () => false, holds: () => false, teams: [] }
}

const everything = authority({ everything: true })
const nothing = authority({ allowed: false })
const ownedBy = (owner: string) => authority({ where: (alias) => sql`${sql.ref(`${alias}.owner`)} = ${owner}::uuid` })

const patience = { timeout: 10_000, interval: 10 }

interface Heard {
  readonly event: string
  readonly body: Record<string, unknown>
}

describe.each(kinds)('the live stream on %s', (kind) => {
  let bench: Bench
  let close: () => Promise<void>
  let live: LiveStream
  const tabs = new Set<AbortController>()

  beforeAll(async () => {
    ;({ bench, close } = await openBench(kind, systemClock))
    await sql`create table public.piece (id uuid primary key, workspace uuid not null, owner uuid)`.execute(
      bench.database.owner,
    )
    await sql`select core.protect('public.piece')`.execute(bench.database.owner)
  })
  afterAll(() => close())
  beforeEach(() => {
    const { database, signals, log } = bench
    live = new LiveStream({
      database,
      signals,
      clock: systemClock,
      log,
      catalog: () => ({ get: (id) => (id === pieces.id ? pieces : undefined) }),
    })
    live.start()
  })
  afterEach(() => {
    for (const tab of tabs) tab.abort()
    tabs.clear()
    live.stop()
  })

  /**
   * Opens a tab that collects what it is told.
   *
   * @param from - when it begins to read
   */
  function listen(
    rights: () => Authority | undefined,
    workspace = bench.workspace,
    from: Promise<void> = Promise.resolve(),
  ): { heard: Heard[]; ended: Promise<void> } {
    const tab = new AbortController()
    tabs.add(tab)
    const who: Listener = { workspace, authority: async () => rights() }
    const { body } = live.handler(new Request('http://localhost/api/core/live', { signal: tab.signal }), who)
    const heard: Heard[] = []
    const read = async () => {
      let text = ''
      await from
      for await (const chunk of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
        text += chunk
        const parts = text.split('\n\n')
        text = parts.pop() ?? ''
        for (const part of parts) {
          const match = /^event: (.+)\ndata: (.+)$/.exec(part)
          if (match) heard.push({ event: match[1] ?? '', body: JSON.parse(match[2] ?? '') as Record<string, unknown> })
        }
      }
    }
    return { heard, ended: read() }
  }

  const records = (heard: readonly Heard[]) => heard.filter(({ event }) => event === 'record').map(({ body }) => body)

  /** Waits until a tab was told of one of these. */
  async function arrived(tab: { heard: readonly Heard[] } | undefined, ...ids: string[]): Promise<void> {
    await expect.poll(() => records(tab?.heard ?? []).some(({ id }) => ids.includes(String(id))), patience).toBe(true)
  }

  async function addPiece(owner: string): Promise<string> {
    const id = randomUUID()
    await sql`insert into public.piece (id, workspace, owner) values (${id}::uuid, ${bench.workspace}::uuid, ${owner}::uuid)`.execute(
      bench.database.owner,
    )
    return id
  }

  function tell(ids: readonly string[], version = 1, workspace = bench.workspace): void {
    const changes = ids.map((id) => ({ resource: pieces.id, id, action: 'update', version }))
    bench.signals.send({ kind: 'records', workspace, changes })
  }

  test('a tab hears of the records its reader may see, and of no other', async () => {
    const [anna, ben] = [randomUUID(), randomUUID()]
    const hers = await addPiece(anna)
    const his = await addPiece(ben)
    const [annas, bens, admins, strangers] = [ownedBy(anna), ownedBy(ben), everything, nothing].map((rights) =>
      listen(() => rights),
    )
    tell([hers, his], 3)
    for (const tab of [annas, bens, admins]) await arrived(tab, hers, his)
    const event = (id: string) => ({ resource: 'probe.piece', id, action: 'update', version: 3 })
    expect(records(annas?.heard ?? [])).toEqual([event(hers)])
    expect(records(bens?.heard ?? [])).toEqual([event(his)])
    expect(records(admins?.heard ?? [])).toEqual([event(hers), event(his)])
    expect(records(strangers?.heard ?? [])).toEqual([])
  })

  test('a tab hears nothing of another workspace', async () => {
    const tab = listen(() => everything)
    const ours = randomUUID()
    tell([randomUUID()], 1, randomUUID())
    tell([ours])
    await arrived(tab, ours)
    expect(records(tab.heard)).toHaveLength(1)
  })

  test('many changes of one record in one moment are told once, as the newest', async () => {
    const anna = randomUUID()
    const id = await addPiece(anna)
    const tab = listen(() => ownedBy(anna))
    for (let version = 1; version <= 50; version += 1) tell([id], version)
    await expect.poll(() => records(tab.heard).at(-1), patience).toMatchObject({ id, version: 50 })
    expect(records(tab.heard).length).toBeLessThan(3)
  })

  test('a tab is told that something became of a delivery in its workspace, and nothing of which', async () => {
    const [ours, theirs] = [listen(() => nothing), listen(() => everything, randomUUID())]
    const changes = [openDelivery(randomUUID())]
    bench.signals.send({ kind: 'records', workspace: bench.workspace, changes })
    const told = () => ours.heard.filter(({ event }) => event === 'deliveries.changed').map(({ body }) => body)
    await expect.poll(told, patience).toEqual([{}])
    await pause(100)
    expect(records(ours.heard)).toEqual([])
    expect(theirs.heard.filter(({ event }) => event === 'deliveries.changed')).toEqual([])
  })

  test('rights that were taken away are gone from the next record on', async () => {
    const anna = randomUUID()
    const [before, after] = [await addPiece(anna), await addPiece(anna)]
    let rights: Authority = ownedBy(anna)
    const tab = listen(() => rights)
    const admin = listen(() => everything)
    tell([before])
    await arrived(tab, before)
    rights = nothing
    bench.signals.send({ kind: 'permissions', workspace: bench.workspace })
    tell([after])
    await arrived(admin, after)
    await pause(100)
    expect(records(tab.heard).map(({ id }) => id)).toEqual([before])
  })

  test('the stream ends with the session', async () => {
    let rights: Authority | undefined = everything
    const tab = listen(() => rights)
    await pause(50)
    rights = undefined
    bench.signals.send({ kind: 'permissions' })
    await tab.ended
    expect(live.size).toBe(0)
  })

  test('a tab is told the generation when it opens and whenever a plugin is switched', async () => {
    const tab = listen(() => everything)
    await pause(100)
    await sql`update core.generation set value = value + 1`.execute(bench.database.owner)
    bench.signals.send({ kind: 'plugins' })
    await pause(100)
    const told = tab.heard
      .filter(({ event }) => event === 'plugin.generation')
      .map(({ body }) => Number(body['generation']))
    expect(told).toHaveLength(2)
    expect(told[1]).toBe((told[0] ?? 0) + 1)
  })

  test('a tab that read nothing while a plugin was switched is told so when it reads again', async () => {
    const go = Promise.withResolvers<void>()
    const tab = listen(() => everything, bench.workspace, go.promise)
    await pause(100)
    tell(Array.from({ length: 1_500 }, () => randomUUID()))
    await pause(300)
    const { rows } = await sql<{ value: string }>`
      update core.generation set value = value + 1 returning value::text as value`.execute(bench.database.owner)
    bench.signals.send({ kind: 'plugins' })
    await pause(100)
    go.resolve()
    await expect
      .poll(() => tab.heard.findLast(({ event }) => event === 'plugin.generation')?.body['generation'], patience)
      .toBe(Number(rows[0]?.value))
  })

  test('a tab that does not read is not buffered without end, and is let go when it is far behind', async () => {
    const tab = new AbortController()
    tabs.add(tab)
    const who: Listener = { workspace: bench.workspace, authority: async () => everything }
    const { body } = live.handler(new Request('http://localhost/api/core/live', { signal: tab.signal }), who)
    for (let batch = 0; batch < 40; batch += 1) {
      tell(Array.from({ length: 100 }, () => randomUUID()))
      await pause(25)
      if (live.size === 0) break
    }
    expect(live.size).toBe(0)
    await body?.cancel()
  })
})
