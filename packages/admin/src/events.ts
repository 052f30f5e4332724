import type { Job, Run, Scheduler } from '@escapement/core'
import { toRecord } from '@escapement/core'
import { type Call, maySee, queryOf } from './call.ts'
import { HEADERS, Refusal } from './problem.ts'
import { briefOf } from './reads/brief.ts'
import type { EventMessage } from './types.ts'

/** Messages that are kept for those that come back. */
const MAX_KEPT = 1_000
/** Messages that wait for a slow client: beyond them it is cut off, and comes back. */
const MAX_WAITING = 200
const MAX_CLIENTS = 2_000
const HEARTBEAT_MS = 15_000
/** How often runs of other instances are looked for while somebody listens, in ms. */
const LOOK_MS = 1_000
/** The newest runs, and those under way, that are looked at: at most this many of each. */
const LOOKED_AT = 50
/** The stream sends the progress of one run at most once in this time, in ms. */
const PROGRESS_MS = 500

interface Message {
  readonly id: number
  readonly job: string | undefined
  readonly data: EventMessage
}

interface Client {
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  sees(job: string): boolean
}

const encoder = new TextEncoder()

/** Streams what changes to those that listen. It subscribes to the scheduler when the first one does. */
export class Events {
  readonly #scheduler: Scheduler
  /** Tells this life of the process from others in the ids of messages. */
  readonly #life = Date.now().toString(36)
  readonly #kept: Message[] = []
  readonly #clients = new Set<Client>()
  readonly #progress = new Map<string, number>()
  #count = 0
  #subscribed = false
  #timer: NodeJS.Timeout | undefined
  #beats = 0
  #others: string | undefined

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** The answer to a request for the stream. */
  readonly answer = (call: Call): Response => {
    queryOf(call, ['after'])
    if (this.#clients.size >= MAX_CLIENTS)
      throw new Refusal(503, 'TOO_MANY_STREAMS', 'too many streams are open')
    this.#subscribe()
    const last = call.request.headers.get('last-event-id') ?? call.url.searchParams.get('after')
    let client: Client | undefined
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          client = { controller, sees: (job) => maySee(call, job) }
          this.#clients.add(client)
          controller.enqueue(encoder.encode('retry: 2000\n\n'))
          this.#replay(client, last)
        },
        cancel: () => this.#remove(client),
      },
      { highWaterMark: MAX_WAITING },
    )
    this.#beat()
    const headers = {
      ...HEADERS,
      'cache-control': 'no-store, no-transform',
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
    }
    return new Response(body, { headers })
  }

  #subscribe(): void {
    if (this.#subscribed) return
    this.#subscribed = true
    const { on } = this.#scheduler
    const run = (of: Run) => this.#tell({ type: 'run', run: briefOf(toRecord(of)) }, of.job.name)
    on('running', run)
    on('waiting-retry', run)
    on('settled', (of) => {
      this.#progress.delete(of.id)
      if (of.reason !== 'claimed-elsewhere') run(of)
    })
    on('progress', (of) => {
      const now = performance.now()
      if (now - (this.#progress.get(of.id) ?? -Infinity) < PROGRESS_MS) return
      this.#progress.set(of.id, now)
      run(of)
    })
    const job = (what: 'added' | 'removed' | 'paused' | 'resumed') => (of: Job) =>
      this.#tell({ type: 'job', job: of.name, what }, of.name)
    on('added', job('added'))
    on('removed', job('removed'))
    on('paused', job('paused'))
    on('resumed', job('resumed'))
    on('all-paused', () => this.#tell({ type: 'all', what: 'paused' }, undefined))
    on('all-resumed', () => this.#tell({ type: 'all', what: 'resumed' }, undefined))
    on('drain', () => this.#drain())
  }

  #tell(data: EventMessage, job: string | undefined): void {
    const message = { id: ++this.#count, job, data }
    this.#kept.push(message)
    if (this.#kept.length > MAX_KEPT) this.#kept.shift()
    for (const client of this.#clients) this.#send(client, message)
  }

  /** What a client has missed that is still kept. */
  #replay(client: Client, last: string | null): void {
    if (last === null) return
    const [life, number] = last.split('.')
    const after = Number(number)
    const lost = life !== this.#life || !(after <= this.#count) || after < (this.#kept[0]?.id ?? 1) - 1
    if (lost) this.#send(client, { id: this.#count, job: undefined, data: { type: 'reset' } })
    else for (const message of this.#kept) if (message.id > after) this.#send(client, message)
  }

  #send(client: Client, { id, job, data }: Message): void {
    if (job !== undefined && !client.sees(job)) return
    const { controller } = client
    // It does not read: it comes back with the id of its last message.
    if ((controller.desiredSize ?? 0) <= 0) {
      this.#close(client)
      return
    }
    const { type, ...rest } = data
    controller.enqueue(
      encoder.encode(`id: ${this.#life}.${id}\nevent: ${type}\ndata: ${JSON.stringify(rest)}\n\n`),
    )
  }

  #close(client: Client): void {
    this.#remove(client)
    try {
      client.controller.close()
    } catch {
      // It was closed by the other side.
    }
  }

  #remove(client: Client | undefined): void {
    if (client) this.#clients.delete(client)
    if (this.#clients.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Keeps proxies from ending a quiet stream, and looks for what other instances did. */
  #beat(): void {
    if (this.#timer) return
    this.#timer = setInterval(() => {
      if (++this.#beats % Math.round(HEARTBEAT_MS / LOOK_MS) === 0) this.#comment()
      if (this.#scheduler.scope.durable) void this.#look()
    }, LOOK_MS)
    this.#timer.unref()
  }

  #comment(): void {
    for (const client of this.#clients) {
      if ((client.controller.desiredSize ?? 0) <= 0) this.#close(client)
      else client.controller.enqueue(encoder.encode(': here\n\n'))
    }
  }

  async #look(): Promise<void> {
    try {
      const mark = await this.#othersNow()
      const changed = mark !== this.#others && this.#others !== undefined
      this.#others = mark
      if (changed) this.#tell({ type: 'changed' }, undefined)
    } catch {
      // The store is away: the page sees that by its own requests.
    }
  }

  /** How the newest runs of other instances stand, and the older ones that are under way: their ends are changes, too. */
  async #othersNow(): Promise<string> {
    const scheduler = this.#scheduler
    const [newest, under] = await Promise.all([
      scheduler.history({ limit: LOOKED_AT }),
      scheduler.history({ state: ['running', 'waiting-retry', 'claimed'], limit: LOOKED_AT }),
    ])
    return [...newest, ...under]
      .filter(({ instance }) => instance !== scheduler.instance)
      .map(({ id, state, count }) => `${id} ${state} ${count ?? ''}`)
      .join()
  }

  #drain(): void {
    this.#tell({ type: 'drain' }, undefined)
    for (const client of [...this.#clients]) this.#close(client)
  }
}
