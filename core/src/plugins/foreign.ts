import { pluginFailed } from './errors.ts'
import { isPluginsFault } from './faults.ts'
import { running } from './running.ts'

/**
 * Has code of one plugin run for another: where it fails, whoever asked for the work is told which one did, and not that their
 * own plugin has failed. What it refuses is an answer and stays as it is.
 *
 * @throws `PLUGIN_FAILED` with what it threw as `cause`
 */
export function onBehalf<T>(plugin: string, work: () => T): T {
  const leave = enter(plugin)
  let result: T
  try {
    result = work()
  } catch (error) {
    leave()
    return fail(plugin, error)
  }
  if (result instanceof Promise) return result.finally(leave).catch((error: unknown) => fail(plugin, error)) as T
  leave()
  return result
}

/** Has the unit of work that waits for it know whom it waits for. */
function enter(plugin: string): () => void {
  const guests = running.getStore()?.guests
  if (!guests) return () => {}
  const guest = { plugin, since: performance.now() }
  guests.push(guest)
  return () => guests.splice(guests.indexOf(guest), 1)
}

function fail(plugin: string, error: unknown): never {
  throw isPluginsFault(error) ? Object.assign(pluginFailed({ plugin }, { plugin }), { cause: error }) : error
}

/** For how long something is handed over. */
export interface Lending {
  /** What was handed over by it, by the thing itself: the same is always the same. */
  readonly wrapped: WeakMap<object, unknown>
  /** Throws where that time is over. */
  readonly demand: () => void
}

const forGood: Lending = { wrapped: new WeakMap(), demand: () => {} }

/**
 * What a plugin hands to another, a service or a contribution: calls of it, reads and writes of its accessors and steps of what
 * it answers bit by bit are on behalf of whoever makes them. What else it answers is a value, and stays as it is.
 */
export function foreign<T>(plugin: string, value: T, lending: Lending = forGood): T {
  if (!isCallable(value) && (typeof value !== 'object' || value === null)) return value
  const { wrapped, demand } = lending
  // Whoever uses it too late has failed, not whose it is.
  const lent = <A>(work: () => A): A => {
    demand()
    return onBehalf(plugin, work)
  }
  const known = wrapped.get(value)
  if (known !== undefined) return known as T
  const made: unknown = isCallable(value)
    ? (...given: unknown[]) =>
        stepwise(
          plugin,
          lent(() => value(...given) as unknown),
          lending,
        )
    : new Proxy(value, {
        get(target, name) {
          // By the thing itself, or it would not reach its private fields.
          const found: unknown = lent(() => Reflect.get(target, name, target) as unknown)
          const fixed = Reflect.getOwnPropertyDescriptor(target, name)
          if (!isCallable(found) || (fixed && !fixed.configurable && !fixed.writable)) return found
          return (...given: unknown[]) => {
            const answer = lent(() => found.apply(target, given) as unknown)
            // A call that answers the thing itself is followed by another.
            return answer === target ? made : stepwise(plugin, answer, lending)
          }
        },
        set: (target, name, given) => lent(() => Reflect.set(target, name, given, target)),
      })
  wrapped.set(value, made)
  return made as T
}

/** A generator runs on with each of its steps. */
function stepwise(plugin: string, answer: unknown, lending: Lending): unknown {
  if (typeof answer !== 'object' || answer === null || !('next' in answer)) return answer
  return Symbol.asyncIterator in answer || Symbol.iterator in answer ? foreign(plugin, answer, lending) : answer
}

/** A class is a value: it is made with `new`, and known by being itself. */
function isCallable(value: unknown): value is (...given: unknown[]) => unknown {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value))
}
