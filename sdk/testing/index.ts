// A platform on a real database in the test's own process.
export { createTestApp, TestClient, TestClock } from '@socle/core/testing'
export type { TestActor, TestAnswer, TestApp, TestAppOptions, TestIncident, TestWorkspace } from '@socle/core/testing'
