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

const wrapped = new WeakMap<object, unknown>()

/**
 * What a plugin hands to another, a service or a contribution: calls of it, reads and writes of its accessors and steps of what
 * it answers bit by bit are on behalf of whoever makes them. What else it answers is a value, and stays as it is.
 */
export function foreign<T>(plugin: string, value: T): T {
  if (!isCallable(value) && (typeof value !== 'object' || value === null)) return value
  const known = wrapped.get(value)
  if (known !== undefined) return known as T
  const made: unknown = isCallable(value)
    ? (...given: unknown[]) =>
        stepwise(
          plugin,
          onBehalf(plugin, () => value(...given) as unknown),
        )
    : new Proxy(value, {
        get(target, name) {
          // By the thing itself, or it would not reach its private fields.
          const found: unknown = onBehalf(plugin, () => Reflect.get(target, name, target) as unknown)
          const fixed = Reflect.getOwnPropertyDescriptor(target, name)
          if (!isCallable(found) || (fixed && !fixed.configurable && !fixed.writable)) return found
          return (...given: unknown[]) => {
            const answer = onBehalf(plugin, () => found.apply(target, given) as unknown)
            // A call that answers the thing itself is followed by another.
            return answer === target ? made : stepwise(plugin, answer)
          }
        },
        set: (target, name, given) => onBehalf(plugin, () => Reflect.set(target, name, given, target)),
      })
  wrapped.set(value, made)
  return made as T
}

/** A generator runs on with each of its steps. */
function stepwise(plugin: string, answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('next' in answer)) return answer
  return Symbol.asyncIterator in answer || Symbol.iterator in answer ? foreign(plugin, answer) : answer
}

/** A class is a value: it is made with `new`, and known by being itself. */
function isCallable(value: unknown): value is (...given: unknown[]) => unknown {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value))
}
