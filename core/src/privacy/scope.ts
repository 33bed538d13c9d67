import type { Context } from '../context.ts'
import type { RecordEngine } from '../records/engine.ts'
import { withEveryRight } from '../records/merge/system-scope.ts'
import type { EngineScope } from '../records/scope.ts'

/** The engine with every right: whoever may ask for a person's data or their erasure asks for all of it, theirs to see or not. */
export const scopeOf = (ctx: Context): EngineScope => withEveryRight((ctx.records as RecordEngine).scope)
