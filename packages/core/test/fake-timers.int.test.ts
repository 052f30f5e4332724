import { createRequire } from 'node:module'
import { createScheduler } from '@escapement/core'
import { afterEach, describe, expect, test, vi } from 'vitest'

const require = createRequire(import.meta.url)

/** The fake timers of a library, as its users install them. */
interface Fake {
  /** `except`: what stays real. */
  use(now: Date, except?: readonly string[]): void
  advance(ms: number): Promise<unknown>
  advanceNow(ms: number): void
  restore(): void
}

interface SinonClock {
  tickAsync(ms: number): Promise<unknown>
  tick(ms: number): void
  restore(): void
}

interface JestTimers {
  useFakeTimers(options: { now: number; doNotFake: readonly string[] }): void
  advanceTimersByTimeAsync(ms: number): Promise<void>
  advanceTimersByTime(ms: number): void
  useRealTimers(): void
}

const vitest: Fake = {
  use: (now) => vi.useFakeTimers({ now }),
  advance: (ms) => vi.advanceTimersByTimeAsync(ms),
  advanceNow: (ms) => void vi.advanceTimersByTime(ms),
  restore: () => vi.useRealTimers(),
}

function sinon(): Fake {
  const { useFakeTimers } = require('sinon') as { useFakeTimers(options: object): SinonClock }
  let clock: SinonClock | undefined
  return {
    use: (now, except = []) => {
      clock = useFakeTimers({ now, toNotFake: except })
    },
    advance: async (ms) => clock?.tickAsync(ms),
    advanceNow: (ms) => clock?.tick(ms),
    restore: () => clock?.restore(),
  }
}

function jest(): Fake {
  const { ModernFakeTimers } = require('@jest/fake-timers') as {
    ModernFakeTimers: new (parts: object) => JestTimers
  }
  const config = { fakeTimers: { enableGlobally: false }, rootDir: '/' }
  const timers = new ModernFakeTimers({ config, global: globalThis })
  return {
    use: (now, doNotFake = []) => timers.useFakeTimers({ now: now.getTime(), doNotFake }),
    advance: (ms) => timers.advanceTimersByTimeAsync(ms),
    advanceNow: (ms) => timers.advanceTimersByTime(ms),
    restore: () => timers.useRealTimers(),
  }
}

const logger = { debug() {}, info() {}, warn: vi.fn(), error: vi.fn() }
const now = new Date('2026-03-01T12:00:30Z')

function counted(create = createScheduler) {
  const at: string[] = []
  const scheduler = create({ timezone: 'UTC', logger })
  scheduler.job('a', '* * * * *', (run) => void at.push(run.tick.scheduledAt.toISOString().slice(11, 16)))
  return { scheduler, at }
}

describe.each<[string, () => Fake]>([
  ['vitest', () => vitest],
  ['sinon', sinon],
  ['jest', jest],
])('the fake timers of %s', (_, make) => {
  const fake = make()
  afterEach(() => {
    fake.restore()
    expect(logger.warn.mock.calls).toEqual([])
    expect(logger.error.mock.calls).toEqual([])
  })

  test('installed after the package was loaded: five minutes are five ticks', async () => {
    fake.use(now)
    const { scheduler, at } = counted()
    await scheduler.start()
    await fake.advance(5 * 60_000)
    expect(at).toEqual(['12:01', '12:02', '12:03', '12:04', '12:05'])
    expect(scheduler.health().lag).toBeLessThan(5)
    await scheduler.stop()
  })

  test('advanced at one stroke', async () => {
    fake.use(now)
    const { scheduler, at } = counted()
    await scheduler.start()
    fake.advanceNow(5 * 60_000)
    expect(at).toHaveLength(5)
    await scheduler.stop()
  })

  test('installed before the package was loaded, and real ones afterwards', async () => {
    // The import itself needs these.
    fake.use(now, ['nextTick', 'queueMicrotask'])
    vi.resetModules()
    const fresh = await import('@escapement/core')
    const faked = counted(fresh.createScheduler)
    await faked.scheduler.start()
    await fake.advance(2 * 60_000)
    expect(faked.at).toEqual(['12:01', '12:02'])
    await faked.scheduler.stop()
    fake.restore()
    const scheduler = fresh.createScheduler({ logger })
    const ticked = new Promise((resolve) => scheduler.job('b', '* * * * * *', resolve))
    await scheduler.start()
    await ticked
    expect(Math.abs(scheduler.health().lag)).toBeLessThan(900)
    await scheduler.stop()
  })

  test('installed while a scheduler runs, which can be stopped all the same', async () => {
    const { scheduler } = counted()
    await scheduler.start()
    fake.use(now)
    await scheduler.stop()
    fake.restore()
    expect(scheduler.state).toBe('stopped')
    await scheduler.start()
    fake.use(now)
    fake.restore()
    await scheduler.stop()
    expect(scheduler.state).toBe('stopped')
  })
})
