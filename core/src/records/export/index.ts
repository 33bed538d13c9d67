import { exportLog, ExportSchema } from './export.ts'
import { sweepFiles } from './sweep.ts'

// What exports add to the core, as its own plugin value lists it.

export const exportEntities = [ExportSchema]

export const exportResources = [exportLog]

export const exportJobs = [sweepFiles]
