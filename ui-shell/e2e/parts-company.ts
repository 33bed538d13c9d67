import { readEnvironment, serve } from '@socle/core'
import { loyaltyPlugin } from '@socle/example-extend-contact'
import { helloPlugin } from '@socle/example-hello'
import { briefingPlugin } from '@socle/example-slot-provider'
import { twoVersionsPlugin } from '@socle/example-two-versions'
import { salesPlugin } from '@socle/sales'
import { ui } from '@socle/ui-shell'

// A company whose modules have parts of their own on screen; see hot-ui.e2e.ts and slots.e2e.ts.
await serve({
  environment: readEnvironment(process.env),
  plugins: [salesPlugin, helloPlugin, twoVersionsPlugin, briefingPlugin, loyaltyPlugin],
  ui,
  tell: (line) => process.stdout.write(`${line}\n`),
})
