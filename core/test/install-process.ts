// A process of its own that serves, until it is killed. See plugin-install.test.ts.
import { readEnvironment, serve } from '@socle/core'

const served = await serve({ environment: readEnvironment(process.env), plugins: [], tell: () => {} })
process.send?.(served.url)
