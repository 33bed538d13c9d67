import { live } from '@socle/sdk/ui'

const calm = 800

/** Calls back after records of these resources changed, once for a burst of them. */
export function onRecords(resources: ReadonlySet<string>, changed: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = live.on('record', (event) => {
    if (!resources.has(event.resource)) return
    clearTimeout(timer)
    timer = setTimeout(changed, calm)
  })
  return () => {
    clearTimeout(timer)
    stop()
  }
}
