export type { Job, JobHandler, JobRequest, JobState, JobTools } from './job.ts'
export { Jobs } from './jobs.ts'
export { jobPermissions, jobRoutes } from './routes.ts'
