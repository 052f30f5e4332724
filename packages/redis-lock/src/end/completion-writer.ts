import type { Clock, Timer } from '@escapement/core'
import { Batch, groupBy } from '../batch.ts'
import { type ClaimTarget, instanceOf, type Keys } from '../keys.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Settings } from '../options.ts'
import { END } from '../scripts/index.ts'

/** What an end is written of. */
export interface Ending {
  readonly subject: ClaimTarget
  readonly token: string
  readonly start: number
  readonly fence: number
  /** When it was claimed, on the monotonic clock. */
  readonly since: number
}

interface Entry {
  /** `clear`: the end had been written, and Redis may have forgotten it. */
  readonly what: 'done' | 'abandon' | 'undo' | 'clear'
  readonly of: Ending
  readonly asked: number
  resolve: () => void
}

/** How many ends are known by heart. */
const MAX_REMEMBERED_ENDS = 5000
/** What was written this number of scans before a Redis went away was seen by the other instances. */
const UNSEEN_SCANS = 3

/** Writes how claims end, and tries again until the majority has it. */
export class CompletionWriter {
  readonly #clock: Clock
  readonly #nodes: Nodes
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #onFenced: (of: Ending, by: string) => void
  readonly #batch = new Batch<Entry>((entries) => {
    for (const group of groupBy(entries, ({ of }) => of.subject.shard)) void this.#write(group)
  })
  /** Not written yet. */
  readonly #open = new Set<Entry>()
  readonly #failed = new Set<Entry>()
  /** Of the runs that have come to their end last: Redis may come back as it was before. */
  readonly #written = new Map<string, { readonly of: Ending; readonly at: number }>()
  /** When each shard of each node was born, as it last said, and when it said so. */
  readonly #births = new Map<string, { readonly born: number; readonly at: number }>()
  #timer: Timer | undefined
  #pause = 0
  #onEmpty: (() => void) | undefined

  constructor(parts: {
    clock: Clock
    nodes: Nodes
    keys: Keys
    settings: Settings
    onFenced: (of: Ending, by: string) => void
  }) {
    this.#clock = parts.clock
    this.#nodes = parts.nodes
    this.#keys = parts.keys
    this.#settings = parts.settings
    this.#onFenced = parts.onFenced
  }

  /** Resolves when it is written, or when the first try has failed: the next ones go on by themselves. */
  end(of: Ending, what: Entry['what']): Promise<void> {
    return new Promise((resolve) => {
      const entry = { of, what, resolve, asked: this.#clock.monotonic() }
      this.#open.add(entry)
      this.#batch.add(entry)
    })
  }

  /** How many are not written yet. */
  get size(): number {
    return this.#open.size
  }

  /** Whether it is still to be written how a claim has ended. */
  isPending(token: string): boolean {
    return [...this.#open].some(({ of }) => of.token === token)
  }

  /** The end of a run that had been written, also if Redis has forgotten it. */
  written(member: string): Ending | undefined {
    return this.#written.get(member)?.of
  }

  /**
   * A node has said when its memory begins. If that is later than before, it may have forgotten ends that the other
   * instances had not seen when it went away, however long it was away: they are written again.
   */
  greeted(node: string, shard: number, born: number): void {
    const key = `${shard} ${node}`
    const before = this.#births.get(key)
    this.#births.set(key, { born, at: this.#clock.monotonic() })
    if (!before || before.born === born) return
    const oldest = before.at - UNSEEN_SCANS * this.#settings.scan
    for (const { of, at } of this.#written.values())
      if (at >= oldest && of.subject.shard === shard) void this.end(of, 'clear')
  }

  /** Redis is back: try again at once. */
  hurry(): void {
    if (this.#failed.size > 0) this.#again()
  }

  /** Waits until all is written, at most `ms`, also while Redis is away. Returns what is not written then. */
  async flush(ms: number): Promise<Ending[]> {
    this.hurry()
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.setTimeout(resolve, ms)
        this.#onEmpty = () => {
          this.#clock.clearTimeout(timer)
          resolve()
        }
      })
    }
    return [...this.#open].map(({ of }) => of)
  }

  close(): void {
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#open.clear()
    this.#failed.clear()
  }

  async #write(entries: Entry[]): Promise<void> {
    const { retention, minHold, replicaAcks } = this.#settings
    const { shard } = (entries[0] as Entry).of.subject
    const keys = [this.#keys.open(shard)]
    const several = this.#nodes.all.length > 1
    const args: (string | number)[] = [retention, several ? 3 : 2]
    for (const { what, of } of entries) {
      keys.push(of.subject.key, this.#keys.job(of.subject.job))
      if (several) keys.push(this.#keys.prepared(of.subject.job))
      const hold = Math.max(0, Math.ceil(minHold - (this.#clock.monotonic() - of.since)))
      args.push(what, of.token, of.start, of.fence, of.subject.member, hold)
    }
    const missing = entries.map(() => this.#nodes.quorum)
    const written = this.#nodes.all.map(async (node) => {
      const answers = (await node.tell(END, keys, args, replicaAcks)).slice(1) as string[]
      for (const [i, answer] of answers.entries()) {
        const entry = entries[i] as Entry
        if (answer.startsWith('fenced') && this.#open.has(entry)) {
          this.#settle(entry)
          if (entry.what === 'done' || entry.what === 'abandon')
            this.#onFenced(entry.of, instanceOf(answer.slice('fenced|'.length)))
        }
        missing[i] = (missing[i] as number) - 1
        if (missing[i] !== 0 || !this.#open.has(entry)) continue
        if (entry.what === 'done') this.#remember(entry.of)
        this.#settle(entry)
      }
    })
    await Promise.allSettled(written)
    for (const entry of entries) if (this.#open.has(entry)) this.#postpone(entry)
  }

  #settle(entry: Entry): void {
    this.#open.delete(entry)
    this.#failed.delete(entry)
    entry.resolve()
    if (this.#open.size > 0) return
    this.#pause = 0
    this.#onEmpty?.()
  }

  #remember(of: Ending): void {
    this.#written.set(of.subject.member, { of, at: this.#clock.monotonic() })
    if (this.#written.size <= MAX_REMEMBERED_ENDS) return
    const [oldest] = this.#written.keys()
    this.#written.delete(oldest as string)
  }

  #postpone(entry: Entry): void {
    entry.resolve()
    // By then Redis has forgotten the claim anyway.
    if (this.#clock.monotonic() - entry.asked > this.#settings.retention) {
      this.#settle(entry)
      return
    }
    this.#failed.add(entry)
    if (this.#timer) return
    this.#pause = Math.min(Math.max(100, this.#pause * 2), 2000)
    this.#timer = this.#clock.setTimeout(() => this.#again(), this.#pause)
    this.#timer.unref?.()
  }

  #again(): void {
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    const entries = [...this.#failed]
    this.#failed.clear()
    for (const entry of entries) this.#batch.add(entry)
  }
}
