import type { Tick } from '@escapement/core'
import { fnv1a, tickId } from '@escapement/core/plugin'

/** What a claim is about: a tick of a job, one that follows another job's, or a run that somebody asked for. */
export interface ClaimTarget {
  readonly job: string
  /** The tick in ms, where it must be in time: undefined for one that follows another, and for a requested run. */
  readonly at: number | undefined
  /** The nominal instant in ms, by which it can be run again; undefined for a requested run. */
  readonly instant: number | undefined
  /** How often the clock had been set back over the instant. */
  readonly fold: number
  /**
   * Names it among the open runs: `t|1700000000000|job`, `a|1700000000000|job` or `m|run id|job`; `T|1700000000000~2|job`
   * and `A|…` where the clock was set back over the instant. An instance of a version that does not know these leaves them.
   */
  readonly member: string
  readonly shard: number
  /** Of the tick record. */
  readonly key: string
}

const MARKED = /^(mutex(:|$)|=)/
const UNPAIRED = /\p{Surrogate}/u

/** Keys of a shard share a hash tag, so that a Redis Cluster keeps them on one node: `{ns:3}:job:t:…`. */
export class Keys {
  readonly shards: number
  readonly #tags: string[]

  constructor(namespace: string, shards: number) {
    this.shards = shards
    this.#tags = Array.from({ length: shards }, (_, shard) => `{${namespace}:${shard}}:`)
  }

  shard(job: string): number {
    return this.shards === 1 ? 0 : fnv1a(job) % this.shards
  }

  /** The shard of a key of ours. */
  shardOf(key: string): number {
    const end = key.indexOf('}')
    return this.shards === 1 ? 0 : Number(key.slice(key.lastIndexOf(':', end) + 1, end))
  }

  born(shard: number): string {
    return `${this.#tags[shard]}born`
  }
  open(shard: number): string {
    return `${this.#tags[shard]}open`
  }
  instances(shard: number): string {
    return `${this.#tags[shard]}instances`
  }
  /** What an instance says about itself, and about its jobs. */
  member(id: string): [head: string, jobs: string] {
    return [`${this.#tags[0]}head:${id}`, `${this.#tags[0]}jobs:${id}`]
  }
  /** The last fence, the newest tick, and the lease of a job. */
  job(job: string): string {
    return `${this.#of(job)}:job`
  }
  prepared(job: string): string {
    return `${this.#of(job)}:prepared`
  }
  mutex(name: string): string {
    // An unpaired surrogate cannot be sent: all of them would be one name.
    const own = UNPAIRED.test(name)
      ? `=utf16:${Buffer.from(name, 'utf16le').toString('hex')}`
      : `mutex:${name}`
    return this.#tags[this.shard(name)] + own
  }

  /** What all keys of a job start with: its name, but for those that would lead into the keys of mutexes. */
  #of(job: string): string {
    return `${this.#tags[this.shard(job)]}${MARKED.test(job) ? '=' : ''}${job}`
  }

  /** Ticks are known by their instant, and by how often the clock had been set back over it. */
  tick(job: string, at: number, fold: number = 0): ClaimTarget {
    const shard = this.shard(job)
    const id = fold > 0 ? `${at}~${fold + 1}` : `${at}`
    const key = `${this.#of(job)}:t:${id}`
    return { job, at, instant: at, fold, member: `${fold > 0 ? 'T' : 't'}|${id}|${job}`, shard, key }
  }

  /** A job that runs after another has the instant of that one, however long ago it was. */
  follower(job: string, at: number, fold: number = 0): ClaimTarget {
    const tick = this.tick(job, at, fold)
    const kind = fold > 0 ? 'A' : 'a'
    return { ...tick, at: undefined, member: kind + tick.member.slice(1) }
  }

  requested(job: string, id: string): ClaimTarget {
    const shard = this.shard(job)
    const key = `${this.#of(job)}:m:${id}`
    return { job, at: undefined, instant: undefined, fold: 0, member: `m|${id}|${job}`, shard, key }
  }

  /** What a member of `open` stands for; undefined if it is none of ours. */
  parse(member: string): ClaimTarget | undefined {
    const parts = /^([tamTA])\|([^|]+)\|(.+)$/s.exec(member)
    if (!parts) return
    const [, kind, id, job] = parts as unknown as [string, string, string, string]
    if (kind === 'm') return this.requested(job, id)
    const [at = NaN, count = 1] = id.split('~').map(Number)
    return kind === 't' || kind === 'T' ? this.tick(job, at, count - 1) : this.follower(job, at, count - 1)
  }
}

/** How events and messages call it: the tick's id, or the run's. */
export function nameOf({ job, instant, fold, member }: ClaimTarget): string {
  if (instant === undefined) return member.split('|')[1] as string
  return tickId(job, instant, fold)
}

/** The tick, as the scheduler knows it; undefined for a requested run. */
export function tickOf(target: ClaimTarget): Tick | undefined {
  const { job, instant, fold } = target
  if (instant === undefined) return undefined
  return { id: nameOf(target), job, scheduledAt: new Date(instant), fold }
}

/** A tick record: `start|token|fence|state`. */
export interface TickRecord {
  readonly start: number
  readonly token: string
  readonly fence: number
  readonly state: 'run' | 'done' | 'lost'
}

export function parseRecord(text: string | null | undefined): TickRecord | undefined {
  if (typeof text !== 'string') return
  const [start, token, fence, state] = text.split('|') as [string, string, string, TickRecord['state']]
  return { start: Number(start), token, fence: Number(fence), state }
}

/** A token names an instance and one of its claims: `web-1:4711:k3xq9a/4f2a.1c`. This is what others call it. */
export function instanceOf(token: string): string {
  return token.slice(0, token.lastIndexOf('/'))
}

/** As it is registered. */
export function holderOf(token: string): string {
  return token.slice(0, token.lastIndexOf('.'))
}
