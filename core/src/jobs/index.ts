export { Jobs } from './jobs.ts'
export { jobPermissions, jobRoutes } from './routes.ts'
