import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requests, send } from './isolation-requests.ts'
import { run, scripts, unitOn } from './isolation-statements.ts'
import { isolationWorld, type IsolationWorld, type Side } from './isolation-world.ts'

let world: IsolationWorld

beforeAll(async () => {
  world = await isolationWorld()
})
afterAll(() => world.app[Symbol.asyncDispose]())

// A share of it here, the same every time; `npm run fuzz` looks on where nobody has been. What fails names its seed, and
// `FUZZ_SEED=…` comes back to it and makes it small.
const wanted = process.env['FUZZ_RUNS']
const runs = Number(wanted ?? 15)
const seed = process.env['FUZZ_SEED'] ?? (wanted === undefined ? '20260302' : undefined)
const parameters = (numRuns: number) => ({
  numRuns,
  endOnFailure: process.env['FUZZ_SEED'] === undefined,
  ...(seed === undefined ? {} : { seed: Number(seed) }),
})
const timeout = 90_000 + runs * 20_000

/** What was wrong with some work, and every row of others that is not as it was before. */
async function faultsOf(side: Side, work: () => Promise<readonly string[]>): Promise<string[]> {
  const before = await side.rowsOfOthers()
  const faults = await work()
  const after = await side.rowsOfOthers()
  const changed = [...before].flatMap(([place, rows]) =>
    [...rows].filter((row) => !after.get(place)?.has(row)).map((row) => `changed in ${place}: ${row}`),
  )
  return [...faults, ...changed]
}

// The partner's first: what people of the house change is the partner's "others".
describe.each(['partner', 'staff'] as const)('on the side of the %s', (name) => {
  test('there is something to find, and something to lose', async () => {
    const { foreign, foreignIds, own } = world[name]
    expect(foreignIds.size).toBeGreaterThan(200)
    expect([...foreign.keys()]).toEqual(expect.arrayContaining(['core.account', 'core.change', 'core.import']))
    expect(own.size).toBeGreaterThan(5)
    expect(world.routes.length).toBeGreaterThan(400)
  })

  test(
    'whatever is asked, no answer tells of others, none is a failure, and nothing of theirs changes',
    { timeout },
    async () => {
      const { plugins } = world.app.app.kernel.parts
      const side = world[name]
      await fc.assert(
        fc.asyncProperty(fc.array(requests(world, side), { minLength: 12, maxLength: 12 }), async (asked) => {
          for (const { id } of plugins)
            if (id !== 'core') await world.app.app.toggle.enable(world.app.workspace, id, undefined)
          const client = await side.newcomer()
          const memory = { made: [] }
          const faults = await faultsOf(side, async () => {
            const found: string[] = []
            for (const one of asked) found.push(...(await send(client, side, one, memory)))
            return found
          })
          expect(faults).toEqual([])
        }),
        parameters(runs),
      )
    },
  )

  test('whatever a plugin sends by its own SQL, it reads and changes nothing of others', { timeout }, async () => {
    const side = world[name]
    const spec = await unitOn(world, side)
    await fc.assert(
      fc.asyncProperty(await scripts(world, side), async (script) => {
        expect(await faultsOf(side, () => run(world, side, spec, script))).toEqual([])
      }),
      parameters(runs * 3),
    )
  })
})
