import { randomBytes } from 'node:crypto'
import type { Host, Logger } from '@escapement/core'
import { Repeat, Troubles } from '@escapement/core/plugin'
import { DAY_MS } from './counters.ts'
import type { Settings } from './options.ts'
import { Orphans } from './orphans.ts'
import { firstId } from './rows.ts'
import { TEND } from './scripts/index.ts'
import type { Writer } from './writer.ts'

/** Between two looks after the store, in ms; and when there is more to remove. */
const TEND_MS = 2_000
const MORE_MS = 50
/** How long lost data is reported as a trouble, in ms. */
const LOST_MS = 60_000
const BY_HOUR_MS = 30 * DAY_MS
const COUNTERS_MS = 400 * DAY_MS
const AUDIT_MS = 400 * DAY_MS

type Told = [
  name: string,
  bytes: string,
  runs: number,
  policy: string,
  evicted: string,
  more: number,
  left: string[],
]

/** Looks after the store now and then: removes what is too old, and says when Redis has lost something. */
export class Keeper {
  readonly #writer: Writer
  readonly #settings: Settings
  #host: Host | undefined
  #troubles: Troubles | undefined
  readonly #looking = new Repeat(() => this.#look())
  /** The name of what Redis keeps: another one when it was emptied. */
  #name: string | undefined
  #evicted: number | undefined
  #lostAt = -Infinity
  #warned = false
  readonly #orphans: Orphans

  constructor(writer: Writer, settings: Settings) {
    this.#orphans = new Orphans(writer)
    this.#writer = writer
    this.#settings = settings
  }

  /** What is wrong with the store, in one line. */
  get trouble(): string | undefined {
    return this.#troubles?.reasons[0]
  }

  attach(host: Host): void {
    this.#host = host
    this.#troubles = new Troubles(host.log as Logger, host.clock)
    this.#writer.log = host.log as Logger
    this.#writer.troubles = this.#troubles
    this.#orphans.attach(host)
  }

  async start(): Promise<void> {
    this.#looking.start((this.#host ?? this.#writer).clock, await this.#look())
  }

  stop(): void {
    this.#looking.stop()
    this.#name = undefined
  }

  /** Runs are gone that were kept. */
  evicted(count: number): void {
    this.#lost('evicted', `Redis has evicted ${count} runs of the history: it was full`)
  }

  /** News of the fleet cannot be read. */
  fleetFails(error: unknown): void {
    this.#troubles?.fail('redis-store.fleet', error, 'pauses and commands of other instances wait')
  }

  fleetWorks(): void {
    this.#troubles?.works('redis-store.fleet')
  }

  /** Gives the time until the next look, in ms. */
  async #look(): Promise<number> {
    let more = false
    try {
      more = this.#judge((await this.#writer.ask(TEND, this.#bounds())) as Told)
      this.#troubles?.works('redis-store.tend')
    } catch (error) {
      this.#troubles?.fail('redis-store.tend', error, 'old runs are not removed; runs go on')
    }
    return more ? MORE_MS : TEND_MS
  }

  #bounds(): (string | number)[] {
    const now = this.#writer.clock.now()
    const { age, failures, runBytes, total } = this.#settings
    const hours = now - BY_HOUR_MS
    return [
      ...[randomBytes(6).toString('hex'), firstId(now - age), firstId(now - failures.age)],
      ...[firstId(now - AUDIT_MS), hours - (hours % DAY_MS), now - COUNTERS_MS, runBytes, total],
    ]
  }

  /** True when there is more to remove. */
  #judge([name, , , policy, evicted, more, left]: Told): boolean {
    if (this.#name !== undefined && this.#name !== name)
      this.#lost(
        'emptied',
        'Redis was emptied: history, counters, watermarks and requests up to now are lost',
      )
    this.#name = name
    this.#warnOfPolicy(policy)
    const count = Number(evicted)
    if (policy.startsWith('allkeys') && this.#evicted !== undefined && count > this.#evicted)
      this.#lost(
        'evicted',
        `Redis is full and has evicted ${count - this.#evicted} keys: history may be lost`,
      )
    this.#evicted = count
    this.#orphans.look(left, this.#writer.clock.monotonic())
    if (this.#writer.clock.monotonic() - this.#lostAt >= LOST_MS)
      for (const what of ['emptied', 'evicted']) this.#troubles?.works(`redis-store.${what}`)
    return more === 1
  }

  #warnOfPolicy(policy: string): void {
    if (this.#warned || !policy.startsWith('allkeys')) return
    this.#warned = true
    const message = `redis-store: this Redis evicts any key when it is full (maxmemory-policy ${policy}): history, watermarks and requests can be lost. Use noeviction or volatile-lru.`
    this.#host?.log.warn({ policy }, message)
  }

  #lost(what: string, why: string): void {
    this.#lostAt = this.#writer.clock.monotonic()
    this.#troubles?.fail(`redis-store.${what}`, new Error(why), 'what comes from now on is kept; runs go on')
  }
}
