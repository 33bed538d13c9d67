export type { JobState, JobTools } from './job.ts'
export { Jobs, requestJob, type JobsOptions } from './jobs.ts'
export { jobPermissions, jobRoutes } from './routes.ts'
