import type { JobOptions } from '@escapement/core'
import type { RedisLockOptions } from '@escapement/redis-lock'

/** What a worker process is to be. */
export interface WorkerConfig {
  readonly name: string
  /** Appended to, one JSON object a line. */
  readonly log: string
  /** How far its wall clock is off, in ms. */
  readonly skew: number
  readonly design: 'escapement' | 'lock-only' | 'lock-at-least' | 'watermark'
  readonly clients: readonly ClientConfig[]
  readonly lock: Omit<RedisLockOptions, 'clients'>
  readonly jobs: readonly JobConfig[]
}

export type ClientConfig =
  | { readonly url: string }
  | { readonly sentinels: readonly { host: string; port: number }[]; readonly name: string }

export interface JobConfig {
  readonly name: string
  /** Between its ticks. */
  readonly seconds: number
  /** How long it works, in ms; 0 returns at once. */
  readonly ms: number
  readonly options?: Omit<JobOptions, 'schema'>
  /** Kills the process that runs it first after some seconds: before the work, or when it is done; or that runs it again first. */
  readonly dies?: 'before' | 'after' | 'again'
}

/** What a worker can be told later. */
export type Command =
  | { readonly do: 'step'; readonly by: number }
  | { readonly do: 'block'; readonly ms: number }
  | { readonly do: 'stop' }

/** A line of a worker's log. `t`: the machine's true time in ms. */
export interface Line {
  readonly t: number
  readonly w: string
  readonly e:
    | 'ready'
    | 'start'
    | 'write'
    | 'abort'
    | 'end'
    | 'settled'
    | 'event'
    | 'rss'
    | 'crash'
    | 'stopped'
  readonly job?: string
  /** The tick's id, without the mark of a clock set back. */
  readonly tick?: string
  readonly at?: number
  readonly fence?: number
  readonly start?: number
  readonly outcome?: string
  readonly reason?: string
  readonly name?: string
  readonly mb?: number
  readonly text?: string
}
