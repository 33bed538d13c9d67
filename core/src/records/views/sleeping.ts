import { readExpression, printExpression, type Expression } from '../expression/index.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import type { ViewFault } from './check-view.ts'

/** A part of a view that rests while the module it needs is off, and is back with it. */
export interface SleepingPart {
  readonly part: ViewFault['part']
  /** The condition or the field, as it is written. */
  readonly text: string
  readonly plugin: string
  /** What the plugin is called, in the language of whoever opens the view. */
  readonly module: string
}

/** The parts of a view that say what it shows. */
type ViewParts = Readonly<Partial<Record<ViewFault['part'], unknown>>>

/**
 * A view without what sleeps here. A condition that sleeps is as if it were not written: it leaves its `and` or `or`, and
 * takes along the `not` or the collection around it. What is wrong with the rest is for `faultsOfView` to say.
 */
export function awakeView<V extends object>(
  scope: EngineScope,
  resource: Resource,
  saved: V,
): { readonly view: V; readonly sleeping: readonly SleepingPart[] } {
  const view = saved as ViewParts
  const sleeping: SleepingPart[] = []
  const sleeps = (part: SleepingPart['part'], path: string, text = path): boolean => {
    const plugin = sleeperOf(scope, resource, path)
    if (plugin !== undefined) sleeping.push({ part, text, plugin, module: scope.moduleTitle(plugin) })
    return plugin !== undefined
  }
  const awake: Record<string, unknown> = {}
  if (isText(view.filter)) {
    const text = view.filter
    const rest = awakeFilter(scope, resource, text, (plugin, part) =>
      sleeping.push({ part: 'filter', text: part, plugin, module: scope.moduleTitle(plugin) }),
    )
    if (rest !== text) awake['filter'] = rest
  }
  if (isText(view.sort)) {
    const keys = view.sort.split(',').map((key) => key.trim())
    const kept = keys.filter((key) => !sleeps('sort', key.replace('-', '')))
    if (kept.length < keys.length) awake['sort'] = kept.join(',') || null
  }
  for (const part of ['columns', 'card', 'sums'] as const) {
    const list = view[part]
    if (!Array.isArray(list)) continue
    const kept = list.filter((it: unknown) => {
      const name = typeof it === 'string' ? it : (it as { field?: unknown } | null)?.field
      return typeof name !== 'string' || !sleeps(part, name)
    })
    if (kept.length < list.length) awake[part] = kept.length === 0 ? null : kept
  }
  for (const part of ['groupBy', 'startField', 'endField'] as const) {
    const name = view[part]
    if (isText(name) && sleeps(part, name)) awake[part] = null
  }
  return { view: sleeping.length === 0 ? saved : { ...saved, ...awake }, sleeping }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** A filter's text without what sleeps; null when nothing of it is left. One that cannot be read stays as it is. */
function awakeFilter(
  scope: EngineScope,
  resource: Resource,
  text: string,
  sleeps: (plugin: string, condition: string) => void,
): string | null {
  let expression: Expression
  try {
    expression = readExpression(text)
  } catch {
    return text
  }
  const rest = rouse(scope, resource, expression, sleeps)
  if (rest === expression) return text
  return rest === undefined ? null : printExpression(rest)
}

function rouse(
  scope: EngineScope,
  resource: Resource,
  node: Expression,
  sleeps: (plugin: string, condition: string) => void,
): Expression | undefined {
  if (node.op === 'and' || node.op === 'or') {
    const parts = node.of.map((part) => rouse(scope, resource, part, sleeps))
    if (parts.every((part, index) => part === node.of[index])) return node
    const of = parts.filter((part) => part !== undefined)
    return of.length === 0 ? undefined : of.length === 1 ? of[0] : { ...node, of }
  }
  if (node.op === 'not') {
    const of = rouse(scope, resource, node.of, sleeps)
    return of === node.of ? node : of && { ...node, of }
  }
  const plugin = sleeperIn(scope, resource, node)
  if (plugin === undefined) return node
  sleeps(plugin, printExpression(node))
  return undefined
}

/** The plugin without which a condition says nothing, also where that is deep in what it asks of a collection. */
function sleeperIn(scope: EngineScope, resource: Resource, node: Expression): string | undefined {
  if ('of' in node)
    return [node.of]
      .flat()
      .map((part) => sleeperIn(scope, resource, part))
      .find((plugin) => plugin !== undefined)
  const own = sleeperOf(scope, resource, node.path)
  if (own !== undefined || !('where' in node) || !node.where) return own
  const path = node.op === 'sum' ? node.path.split('.').slice(0, -1) : node.path.split('.')
  const target = walk(scope, resource, path)
  return typeof target === 'object' ? sleeperIn(scope, target, node.where) : undefined
}

function sleeperOf(scope: EngineScope, resource: Resource, path: string): string | undefined {
  const end = walk(scope, resource, path.split('.'))
  return typeof end === 'string' ? end : undefined
}

/** Follows a path: to the resource it leads to, to the plugin that is off on the way, or to nothing that anybody knows. */
function walk(scope: EngineScope, from: Resource, names: readonly string[]): Resource | string | undefined {
  let owner = from
  for (const [index, name] of names.entries()) {
    const whole = scope.catalog.whole.get(owner.id)
    const field = whole?.fields.get(name)
    const collection = field ? undefined : whole?.collections.get(name)
    const pointing = collection && scope.catalog.whole.get(collection.target)
    // Of a company's own computed field, what it is computed of.
    const made = [field, ...[...(field?.formula?.reads ?? [])].map((it) => whole?.fields.get(it))]
    const side = [...made, pointing?.fields.get(collection?.field ?? '')].find((it) => it?.side)?.side
    if (side && !scope.isOn(side.plugin)) return side.plugin
    if (side && field && !owner.fields.has(name)) return side.plugin
    const id = collection?.target ?? field?.target
    const isLast = index === names.length - 1
    if (id === undefined || (isLast && !collection)) return undefined
    const target = scope.catalog.get(id)
    if (!target || !scope.exists(target)) return target?.plugin ?? id.split('.')[0]
    owner = target
  }
  return owner
}
