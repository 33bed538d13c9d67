/** What the server tells open tabs, filtered by what this actor may see. */
export interface LiveEvents {
  record: { resource: string; id: string; action: 'create' | 'update' | 'delete' | 'restore'; version: number }
  'plugin.generation': { generation: number }
  /** Fields of the workspace's own came, went or changed: the shell document is another one. */
  'fields.changed': object
  /** A delivery of an event has died, or somebody decided about one that had. */
  'deliveries.changed': object
  /** Kept by the tab itself: whether the stream stands, and since when it does not. */
  status: { connected: boolean; since: Date }
}

type Listener<K extends keyof LiveEvents> = (event: LiveEvents[K]) => void

const names = ['record', 'plugin.generation', 'fields.changed', 'deliveries.changed'] as const
const slowest = 30_000

class LiveStream {
  readonly #listeners = new Map<keyof LiveEvents, Set<Listener<never>>>()
  #source: EventSource | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #wait = 1_000
  #url = '/api/core/live'
  #status: LiveEvents['status'] = { connected: false, since: new Date() }

  get status(): LiveEvents['status'] {
    return this.#status
  }

  /** Opens the one stream of this tab; a second call does nothing. */
  start(url = this.#url): void {
    this.#url = url
    if (this.#source || this.#retry) return
    this.#open()
    window.addEventListener('online', this.#now)
  }

  stop(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#source?.close()
    this.#source = undefined
    window.removeEventListener('online', this.#now)
  }

  /** Calls back for each event; answers the function that stops it. Opens the stream if nobody did. */
  on<K extends keyof LiveEvents>(name: K, listener: Listener<K>): () => void {
    const set = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, set.add(listener as Listener<never>))
    this.start()
    return () => set.delete(listener as Listener<never>)
  }

  readonly #now = (): void => {
    if (!this.#retry) return
    clearTimeout(this.#retry)
    this.#open()
  }

  #open(): void {
    this.#retry = undefined
    const source = new EventSource(this.#url)
    this.#source = source
    source.addEventListener('open', () => {
      this.#wait = 1_000
      this.#connected(true)
    })
    for (const name of names) {
      source.addEventListener(name, (event) => this.#tell(name, JSON.parse((event as MessageEvent<string>).data)))
    }
    // EventSource gives up for good on an HTTP error, and hammers at a fixed pace otherwise: we wait longer each time.
    source.addEventListener('error', () => {
      source.close()
      this.#connected(false)
      this.#retry = setTimeout(() => this.#open(), this.#wait * (0.75 + Math.random() / 2))
      this.#wait = Math.min(this.#wait * 2, slowest)
    })
  }

  #connected(connected: boolean): void {
    if (this.#status.connected === connected) return
    this.#status = { connected, since: new Date() }
    this.#tell('status', this.#status)
  }

  #tell<K extends keyof LiveEvents>(name: K, event: LiveEvents[K]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) (listener as Listener<K>)(event)
  }
}

/** One stream for the whole tab. */
export const live = new LiveStream()
