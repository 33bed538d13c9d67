import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Signal } from '../src/database/signals.ts'
import { changesDeliveries } from '../src/events/delivery-entry.ts'
import { DeliveryDied } from '../src/events/deliveries.ts'
import { holdDeliveries, releaseDeliveries } from '../src/events/holds.ts'
import { keepSubscriptions } from '../src/events/subscriptions.ts'
import { definePlugin, subscriber, subscriberOfMany } from '../src/plugins/define-plugin.ts'
import { pluginReplaced } from '../src/plugins/errors.ts'
import {
  type Bench,
  kinds,
  openBench,
  PieceChanged,
  PieceMoved,
  PieceMovedFurther,
  probePlugin,
  ProbeClock,
  writeDown,
} from './events-fixture.ts'

describe.each(kinds)('events on %s', (kind) => {
  let bench: Bench
  let close: () => Promise<void>
  let clock: ProbeClock

  beforeAll(async () => {
    ;({ bench, close } = await openBench(kind, new ProbeClock('2026-03-02T09:00:00Z')))
    clock = bench.clock as ProbeClock
  })
  afterAll(() => close())
  // Each test has a workspace of its own, and no subscriber of another test.
  beforeEach(async () => {
    await sql`delete from core.subscription`.execute(bench.database.owner)
    bench.workspace = randomUUID()
    await bench.addWorkspace(bench.workspace)
    await bench.switchPlugin('enabled')
  })

  const unit = () => ({ workspace: bench.workspace, plugin: 'probe', cause: { origin: 'system' } })

  test('an event told in a unit that fails never existed', async () => {
    const deliveries = await bench.deliveries([probePlugin()])
    const key = randomUUID()
    const failing = bench.runUnit(unit(), async (ctx) => {
      ctx.emit(PieceMoved, { step: 1 }, { key })
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([])
    expect(await bench.waiting()).toEqual([])
    const { rows } = await sql`select from core.event where key = ${key}::uuid`.execute(bench.database.owner)
    expect(rows).toEqual([])
  })

  test('a told event is heard with its payload, key, instant and version', async () => {
    const heard: unknown[] = []
    const deliveries = await bench.deliveries([probePlugin(async (event) => void heard.push(event))])
    const key = randomUUID()
    await bench.tell(key, 7)
    await deliveries.runUntilIdle()
    expect(heard).toEqual([
      {
        id: expect.any(String),
        name: 'probe.piece.moved',
        version: 1,
        key,
        payload: { step: 7, writer: 'one' },
        at: clock.now().toISOString(),
      },
    ])
    expect(await bench.waiting()).toEqual([])
  })

  test('what several units and one unit tell about a record is heard in the order it was told', async () => {
    const deliveries = await bench.deliveries([probePlugin()])
    const key = randomUUID()
    await bench.tell(key, 1)
    await bench.runUnit(unit(), async (ctx) => {
      for (const step of [2, 3, 4]) ctx.emit(PieceMoved, { step }, { key })
    })
    await bench.tell(key, 5)
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([1, 2, 3, 4, 5])
  })

  test('an event nobody declares, or with a payload unlike its declaration, fails where it is told', async () => {
    const key = randomUUID()
    const telling = (payload: unknown) =>
      bench.runUnit(unit(), async (ctx) => ctx.emit(PieceMoved, payload as { step: number }, { key }))
    await expect(telling({ step: 'far' })).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringContaining('step'),
    })
    const undeclared = { ...PieceMoved, name: 'probe.piece.lost' }
    const unknown = bench.runUnit(unit(), async (ctx) => ctx.emit(undeclared, { step: 1 }, { key }))
    await expect(unknown).rejects.toMatchObject({
      code: 'EVENT_UNDECLARED',
      message: expect.stringContaining('probe.piece.lost'),
    })
  })

  test('a subscriber that cares for one field is owed nothing for a change of others', async () => {
    const heard: string[][] = []
    const plugin = definePlugin({
      ...probePlugin(),
      subscribers: [
        subscriber('weigh', PieceChanged, async ({ payload }) => void heard.push(payload.changed), {
          changed: ['weight', 'colour'],
        }),
      ],
    })
    const deliveries = await bench.deliveries([plugin])
    const record = randomUUID()
    await bench.runUnit(unit(), async (ctx) => {
      for (const [index, changed] of [['name'], ['name', 'weight'], [], ['colour']].entries())
        ctx.emit(PieceChanged, { record, version: index + 1, changed }, { key: record })
    })
    expect(await bench.waiting()).toHaveLength(2)
    await deliveries.runUntilIdle()
    expect(heard).toEqual([['name', 'weight'], ['colour']])
  })

  test('a plugin that never was enabled in a workspace hears nothing of it', async () => {
    const deliveries = await bench.deliveries([probePlugin(writeDown, 'stranger')])
    const key = randomUUID()
    await bench.tell(key, 1)
    expect(await bench.waiting()).toEqual([])
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([])
  })

  test('the core hears everywhere without being enabled', async () => {
    const deliveries = await bench.deliveries([probePlugin(writeDown, 'core')])
    const key = randomUUID()
    await bench.tell(key, 1)
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([1])
  })

  test('an event for a plugin this process has not loaded waits for a process that has', async () => {
    const without = await bench.deliveries([])
    const plugin = probePlugin()
    const having = await bench.deliveries([plugin])
    const key = randomUUID()
    await bench.tell(key, 1)
    await without.runUntilIdle()
    expect(await bench.waiting()).toMatchObject([{ state: 'waiting', key }])
    await having.runUntilIdle()
    expect(await bench.heard(key)).toEqual([1])
  })

  test('a subscriber that tells on is heard in the same run, and what it tells stands with what it writes', async () => {
    const deliveries = await bench.deliveries([
      probePlugin(async (event, ctx) => {
        await writeDown(event, ctx)
        if (event.payload.step < 3) ctx.emit(PieceMoved, { step: event.payload.step + 1 }, { key: event.key })
      }),
    ])
    const key = randomUUID()
    await bench.tell(key, 1)
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([1, 2, 3])
  })

  test('a subscriber that fails is tried again later, and nothing of the failed try remains', async () => {
    let broken = true
    const deliveries = await bench.deliveries([
      probePlugin(async (event, ctx) => {
        await writeDown(event, ctx)
        if (broken) throw new TypeError('the printer of Jeanne is away')
      }),
    ])
    const key = randomUUID()
    await bench.tell(key, 1)
    await deliveries.runUntilIdle()
    // What it said may hold values of whoever's, and is for the log.
    expect(await bench.waiting()).toMatchObject([
      { state: 'waiting', attempts: 1, last_error: expect.stringMatching(/^TypeError at .*\/events\.test\.ts:\d+$/) },
    ])
    broken = false
    clock.advance(4)
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([])
    clock.advance(1)
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([1])
    expect(await bench.waiting()).toEqual([])
  })

  test('a subscriber whose plugin is replaced while it hears has not failed, and its new version hears the same', async () => {
    const deliveries = await bench.deliveries([
      probePlugin(async () => {
        deliveries.prepare({ plugins: [probePlugin()], events: bench.catalog })()
        throw pluginReplaced({ plugin: 'probe' })
      }),
    ])
    const key = randomUUID()
    await bench.tell(key, 1)
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([1])
    expect(await bench.waiting()).toEqual([])
  })

  test('platform-07: eight failures put an event aside, its record is blocked and the others flow', async () => {
    const deaths: unknown[] = []
    const tries: number[] = []
    const poisoned = randomUUID()
    const healthy = randomUUID()
    const plugin = definePlugin({
      ...probePlugin(),
      subscribers: [
        subscriber('write-down', PieceMoved, async (event, ctx) => {
          if (event.key === poisoned) tries.push(event.payload.step)
          if (event.key === poisoned) throw new Error('cannot swallow this')
          await writeDown(event, ctx)
        }),
        subscriber('mourn', DeliveryDied, async ({ payload }) => void deaths.push(payload)),
      ],
    })
    const deliveries = await bench.deliveries([plugin])
    const hints: Signal[] = []
    const unhear = bench.signals.on((signal) => hints.push(signal))
    for (const step of [1, 2]) {
      await bench.tell(poisoned, step)
      await bench.tell(healthy, step)
    }
    await deliveries.runUntilIdle()
    expect(await bench.heard(healthy)).toEqual([1, 2])
    for (const seconds of [5, 15, 45, 135, 405, 1_215]) {
      clock.advance(seconds)
      await deliveries.runUntilIdle()
    }
    expect(tries).toHaveLength(7)
    expect(deaths).toEqual([])
    expect(hints.some(changesDeliveries)).toBe(false)
    clock.advance(3_600)
    await deliveries.runUntilIdle()
    unhear()
    // Who looks at deliveries is told to look again.
    expect(hints.filter(changesDeliveries)).toHaveLength(1)
    expect(tries).toEqual([1, 1, 1, 1, 1, 1, 1, 1])
    expect(deaths).toMatchObject([
      {
        subscription: 'probe/write-down',
        record: poisoned,
        attempts: 8,
        error: expect.stringMatching(/^Error at \S+:\d+$/),
      },
    ])
    await bench.tell(poisoned, 3)
    await bench.tell(healthy, 3)
    clock.advance(86_400)
    await deliveries.runUntilIdle()
    expect(await bench.waiting()).toMatchObject([
      { state: 'dead', key: poisoned, attempts: 8 },
      { state: 'waiting', key: poisoned, attempts: 0 },
      { state: 'waiting', key: poisoned, attempts: 0 },
    ])
    expect(await bench.heard(healthy)).toEqual([1, 2, 3])
  })

  test('a subscriber that goes on without a dead letter hears the later events of its record, and that one when it is redriven', async () => {
    let isMended = false
    const plugin = definePlugin({
      ...probePlugin(),
      subscribers: [
        subscriber(
          'write-down',
          PieceMoved,
          async (event, ctx) => {
            if (event.payload.step === 1 && !isMended) throw new Error('cannot swallow this')
            await writeDown(event, ctx)
          },
          { afterDeadLetter: 'continue' },
        ),
      ],
    })
    const deliveries = await bench.deliveries([plugin])
    const key = randomUUID()
    for (const step of [1, 2, 3]) await bench.tell(key, step)
    for (const seconds of [0, 5, 15, 45, 135, 405, 1_215, 3_600]) {
      expect(await bench.heard(key)).toEqual([])
      clock.advance(seconds)
      await deliveries.runUntilIdle()
    }
    await bench.tell(key, 4)
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([2, 3, 4])
    expect(await bench.waiting()).toMatchObject([{ state: 'aside', key, attempts: 8 }])
    isMended = true
    await sql`select core.redrive_deliveries('probe/write-down', ${bench.workspace}::uuid, null, ${clock.now().toISOString()}::timestamptz, 10)`.execute(
      bench.database.owner,
    )
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual([2, 3, 4, 1])
    expect(await bench.waiting()).toEqual([])
  })

  describe('two versions of an event', () => {
    const hears = (version: 1 | 2 | 'any', heard: unknown[]) =>
      definePlugin({
        ...probePlugin(),
        emits: [PieceMoved, PieceMovedFurther],
        subscribers: [
          version === 2
            ? subscriber('follow', PieceMovedFurther, async (event) => void heard.push(event.payload))
            : subscriber('follow', version === 1 ? PieceMoved : PieceMoved.name, async (event) => {
                heard.push(event.payload)
              }),
        ],
      })
    const tellBoth = (key: string) =>
      bench.runUnit(unit(), async (ctx) => {
        ctx.emit(PieceMoved, { step: 1 }, { key })
        ctx.emit(PieceMovedFurther, { paces: 3 }, { key })
      })

    test('are told side by side, and each subscriber hears the one it declares', async () => {
      for (const [version, expected] of [
        [1, [{ step: 1, writer: 'one' }]],
        [2, [{ paces: 3 }]],
        ['any', [{ step: 1, writer: 'one' }, { paces: 3 }]],
      ] as const) {
        const heard: unknown[] = []
        const deliveries = await bench.deliveries([hears(version, heard)])
        await tellBoth(randomUUID())
        await deliveries.runUntilIdle()
        expect(heard).toEqual(expected)
        expect(await bench.waiting()).toEqual([])
      }
    })

    test('are not mistaken for each other where a release of the subscriber moves on while one waits', async () => {
      const key = randomUUID()
      await bench.deliveries([hears(1, [])])
      await tellBoth(key)
      const heard: unknown[] = []
      const deliveries = await bench.deliveries([hears(2, heard)])
      await tellBoth(key)
      await deliveries.runUntilIdle()
      expect(heard).toEqual([])
      expect(await bench.waiting()).toMatchObject([
        { attempts: 1, last_error: expect.stringContaining('now hears version 2') },
        { attempts: 0 },
      ])
    })
  })

  test('what is told while a plugin is off is dropped where its subscriber says so', async () => {
    const plugin = definePlugin({
      ...probePlugin(),
      subscribers: [subscriber('write-down', PieceMoved, writeDown, { whileDisabled: 'drop' })],
    })
    const deliveries = await bench.deliveries([plugin])
    const key = randomUUID()
    await bench.tell(key, 1)
    await bench.switchPlugin('disabled')
    await bench.tell(key, 2)
    await bench.switchPlugin('enabled')
    await bench.tell(key, 3)
    await deliveries.runUntilIdle()
    // What it was owed while it was on is its own.
    expect(await bench.heard(key)).toEqual([1, 3])
    expect(await bench.waiting()).toEqual([])
  })

  describe('a subscriber of many', () => {
    const writesDownAll = (together: number, bursts: number[], refuses?: string) =>
      definePlugin({
        ...probePlugin(),
        subscribers: [
          subscriberOfMany(
            'write-down',
            PieceMoved,
            async (events, ctx) => {
              bursts.push(events.length)
              for (const event of events) {
                await writeDown(event, ctx)
                if (event.key === refuses) throw new Error('cannot swallow this')
              }
            },
            { together },
          ),
        ],
      })

    test('hears events of several records at once, and of each record one after the other', async () => {
      const bursts: number[] = []
      const deliveries = await bench.deliveries([writesDownAll(4, bursts)], { concurrency: 1 })
      const keys = Array.from({ length: 6 }, () => randomUUID())
      for (const step of [1, 2]) for (const key of keys) await bench.tell(key, step)
      await deliveries.runUntilIdle()
      for (const key of keys) expect(await bench.heard(key)).toEqual([1, 2])
      expect(Math.max(...bursts)).toBe(4)
      expect(bursts.reduce((sum, it) => sum + it)).toBe(12)
      expect(await bench.waiting()).toEqual([])
    })

    test('loses none of them to one that cannot be handled, and hears none twice', async () => {
      const poisoned = randomUUID()
      const deliveries = await bench.deliveries([writesDownAll(10, [], poisoned)], { concurrency: 1 })
      const healthy = Array.from({ length: 5 }, () => randomUUID())
      for (const key of [...healthy.slice(0, 2), poisoned, ...healthy.slice(2)]) await bench.tell(key, 1)
      await deliveries.runUntilIdle()
      for (const key of healthy) expect(await bench.heard(key)).toEqual([1])
      expect(await bench.heard(poisoned)).toEqual([])
      expect(await bench.waiting()).toMatchObject([
        { key: poisoned, attempts: 1, last_error: expect.stringMatching(/^Error at \S+$/) },
      ])
    })
  })

  test('a subscriber that never ends is cut off, told to stop and tried again', async () => {
    let told = false
    const deliveries = await bench.deliveries(
      [
        probePlugin((_event, ctx) => {
          ctx.signal.addEventListener('abort', () => (told = true))
          return new Promise(() => {})
        }),
      ],
      { timeoutMilliseconds: 50 },
    )
    await bench.tell(randomUUID(), 1)
    await deliveries.runUntilIdle()
    expect(told).toBe(true)
    expect(await bench.waiting()).toMatchObject([
      { attempts: 1, last_error: expect.stringContaining('probe/write-down took longer') },
    ])
  })

  test('platform-05: what happens while a plugin is off is held and heard in order when it is on, before newer events', async () => {
    const deliveries = await bench.deliveries([probePlugin()])
    const keys = Array.from({ length: 5 }, () => randomUUID())
    await bench.switchPlugin('disabled')
    for (let step = 1; step <= 10; step += 1) for (const key of keys) await bench.tell(key, step)
    await deliveries.runUntilIdle()
    expect(new Set((await bench.waiting()).map(({ state }) => state))).toEqual(new Set(['held']))
    await bench.database.owner.transaction().execute(async (tx) => {
      await sql`update core.plugin_workspace set state = 'enabled' where workspace = ${bench.workspace}::uuid`.execute(
        tx,
      )
      await releaseDeliveries(tx, { workspace: bench.workspace, plugin: 'probe' })
    })
    const draining = deliveries.runUntilIdle()
    for (const step of [11, 12]) for (const key of keys) await bench.tell(key, step)
    await draining
    await deliveries.runUntilIdle()
    for (const key of keys) expect(await bench.heard(key)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(await bench.waiting()).toEqual([])
  })

  test('a plugin switched off with a backlog hears no more of it from that moment on', async () => {
    const key = randomUUID()
    const deliveries = await bench.deliveries([
      probePlugin(async (event, ctx) => {
        await writeDown(event, ctx)
        if (event.payload.step === 2) ctx.afterCommit(() => void switchedOff())
      }),
    ])
    let switched: Promise<void> = Promise.resolve()
    const switchedOff = () => (switched = bench.switchPlugin('disabled'))
    for (let step = 1; step <= 20; step += 1) await bench.tell(key, step)
    await deliveries.runUntilIdle()
    await switched
    await deliveries.runUntilIdle()
    const before = await bench.heard(key)
    expect(before.length).toBeLessThan(20)
    expect((await bench.waiting()).every(({ state }) => state === 'held')).toBe(true)
    await bench.switchPlugin('enabled')
    await deliveries.runUntilIdle()
    expect(await bench.heard(key)).toEqual(Array.from({ length: 20 }, (_, step) => step + 1))
  })

  test('a hold that comes after the plugin was enabled again holds nothing', async () => {
    const deliveries = await bench.deliveries([probePlugin()])
    await bench.tell(randomUUID(), 1)
    await bench.database.owner
      .transaction()
      .execute((tx) => holdDeliveries(tx, { workspace: bench.workspace, plugin: 'probe' }))
    expect(await bench.waiting()).toMatchObject([{ state: 'waiting' }])
    await deliveries.runUntilIdle()
    expect(await bench.waiting()).toEqual([])
  })

  test('an event stays in its workspace', async () => {
    const other = randomUUID()
    await bench.addWorkspace(other)
    await bench.switchPlugin('enabled', 'probe', other)
    const workspaces: string[] = []
    const deliveries = await bench.deliveries([
      probePlugin(async (_event, ctx) => {
        workspaces.push(ctx.workspace.id)
        const { rows } = await sql<{ workspace: string }>`select distinct workspace from core.event`.execute(ctx.sql)
        expect(rows).toEqual([{ workspace: ctx.workspace.id }])
      }),
    ])
    await bench.tell(randomUUID(), 1, other)
    await bench.tell(randomUUID(), 1)
    await deliveries.runUntilIdle()
    expect(workspaces.toSorted()).toEqual([other, bench.workspace].toSorted())
    expect(await bench.waiting()).toEqual([])
  })

  test('subscriptions follow what the plugins declare, whoever writes them and how often', async () => {
    const two = definePlugin({
      ...probePlugin(),
      subscribers: ['first', 'second'].map((id) => subscriber(id, PieceMoved, writeDown)),
    })
    await Promise.all([1, 2, 3].map(() => keepSubscriptions(bench.database.owner, [two])))
    await keepSubscriptions(bench.database.owner, [
      definePlugin({ ...two, subscribers: [subscriber('second', DeliveryDied, async () => {})] }),
    ])
    const { rows } = await sql`select id, event, active from core.subscription order by id`.execute(
      bench.database.owner,
    )
    expect(rows).toEqual([
      { id: 'probe/first', event: 'probe.piece.moved', active: false },
      { id: 'probe/second', event: 'core.delivery.died', active: true },
    ])
  })
})
