import { createScheduler, type Run, type Scheduler } from '@escapement/core'
import { Redis } from 'ioredis'
import { afterEach } from 'vitest'
import { type RedisLockOptions, redisLock } from '../src/index.ts'
import { until } from './open-nodes.ts'
import { RedisServer } from './redis-server.ts'

/** What is undone after each test, the last first. */
export const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const fn of undo.splice(0).reverse()) await fn()
})

export async function startServer(args: string[] = []): Promise<RedisServer> {
  const server = await RedisServer.start(args)
  undo.push(() => server.stop())
  return server
}

/** A line that a scheduler has written. */
export interface Line {
  readonly level: string
  readonly text: string
  readonly fields: Record<string, unknown>
}

export interface Member {
  readonly scheduler: Scheduler
  readonly lines: Line[]
  /** Names of events that would be false words here, each with the tick. */
  readonly words: string[]
}

/** One instance of a fleet, not started yet. */
export function member(
  options: RedisLockOptions,
  more: Parameters<typeof createScheduler>[0] = {},
  ...others: NonNullable<NonNullable<Parameters<typeof createScheduler>[0]>['plugins']>
): Member {
  const lines: Line[] = []
  const level = (name: string) => (fields: object, text: string) =>
    void lines.push({ level: name, text, fields: fields as Record<string, unknown> })
  const logger = { debug() {}, info: level('info'), warn: level('warn'), error: level('error') }
  const plugins = [redisLock({ lease: 1000, scan: 200, ...options }), ...others]
  const scheduler = createScheduler({ logger, plugins, ...more })
  const words: string[] = []
  scheduler.on('tick-lost', ({ tick }) => void words.push(`tick-lost ${tick}`))
  scheduler.on('abandoned', (run) => void words.push(`abandoned ${run.tick.id}`))
  scheduler.on('fenced', ({ tick }) => void words.push(`fenced ${tick}`))
  undo.push(() => scheduler.stop({ grace: 0 }))
  return { scheduler, lines, words }
}

/** Resolves when `count` runs that fit have ended. */
export async function settled(
  schedulers: readonly Scheduler[],
  count: number,
  fits: (run: Run) => boolean,
): Promise<Run[]> {
  const found: Run[] = []
  const undo = schedulers.map((each) =>
    each.on('settled', (run) => {
      if (found.length < count && fits(run)) found.push(run)
    }),
  )
  await until(`${count} runs that fit have ended`, () => found.length === count)
  for (const fn of undo) fn()
  return found
}

/** Resolves when each of `count` instances has scanned a Redis twice more: what the first scan told is known by then. */
export async function scanned({ port }: RedisServer, count: number): Promise<void> {
  const redis = new Redis(port)
  for (let scan = 0; scan < 2; scan++) {
    const [seconds, micros] = await redis.time()
    const since = Number(seconds) * 1000 + Math.ceil(Number(micros) / 1000)
    const key = '{escapement:0}:instances'
    const seen = async () => (await redis.zcount(key, `(${since}`, '+inf')) >= count
    await until(`${count} instances have scanned`, seen)
  }
  redis.disconnect()
}
