import { EscapementError, every, manual, type Run } from '@escapement/core'
import { liveRun } from '@escapement/testing'
import { describe, expect, test } from 'vitest'
import { deferred, harness } from './harness.ts'

const sleep = (run: Run, clock: { setTimeout(fn: () => void, ms: number): unknown }, ms: number) =>
  new Promise<void>((resolve, reject) => {
    clock.setTimeout(resolve, ms)
    run.signal.addEventListener('abort', () => reject(run.signal.reason))
  })

describe('overlap', () => {
  test.each([
    [
      'skip',
      [
        'a skipped:overlap 00:00:02',
        'a skipped:overlap 00:00:03',
        'a succeeded 00:00:01',
        'a skipped:overlap 00:00:05',
        'a skipped:overlap 00:00:06',
        'a succeeded 00:00:04',
      ],
    ],
    [
      'queue',
      [
        'a skipped:overlap 00:00:03',
        'a succeeded 00:00:01',
        'a skipped:overlap 00:00:05',
        'a succeeded 00:00:02',
      ],
    ],
    [
      'cancel-previous',
      [
        'a cancelled 00:00:01',
        'a cancelled 00:00:02',
        'a cancelled 00:00:03',
        'a cancelled 00:00:04',
        'a cancelled 00:00:05',
      ],
    ],
    [
      'allow',
      ['a succeeded 00:00:01', 'a succeeded 00:00:02', 'a succeeded 00:00:03', 'a succeeded 00:00:04'],
    ],
  ] as const)('%s', async (overlap, expected) => {
    const { clock, scheduler, log } = harness()
    let active = 0
    let most = 0
    scheduler.job('a', every('1s'), { overlap }, async (run) => {
      most = Math.max(most, ++active)
      try {
        await sleep(run, clock, 2500)
      } finally {
        active--
      }
    })
    await scheduler.start()
    await clock.advance(7000)
    expect(log.slice(0, expected.length)).toEqual(expected)
    expect(most).toBe(overlap === 'allow' ? 3 : 1)
  })

  test('a queued run ends as skipped when the scheduler stops', async () => {
    const { clock, scheduler, log } = harness({ drain: { grace: '5s' } })
    scheduler.job('a', every('1s'), { overlap: 'queue' }, (run) => sleep(run, clock, 3000))
    await scheduler.start()
    await clock.advance('2s')
    const stopped = scheduler.stop()
    await clock.advance('3s')
    await stopped
    expect(log).toEqual(['a skipped:shutdown 00:00:02', 'a succeeded 00:00:01'])
  })
})

describe('retry', () => {
  test('makes further attempts of the same tick and key', async () => {
    const { clock, scheduler, runs } = harness()
    const seen: string[] = []
    const waits: number[] = []
    scheduler.on('waiting-retry', (_, { delay }) => void waits.push(delay))
    scheduler.job('a', '1 * * * * *', { retry: { retries: 3, delay: '1s', jitter: 0 } }, (run) => {
      seen.push(`${run.key} ${run.attempt}`)
      if (run.attempt < 3) throw new Error(`no ${run.attempt}`)
      return 'done'
    })
    await scheduler.start()
    await clock.advance('10s')
    expect(seen).toEqual([1, 2, 3].map((n) => `a@2026-01-01T00:00:01.000Z ${n}`))
    expect(waits).toEqual([1000, 2000])
    expect(runs[0]).toMatchObject({ outcome: 'succeeded', attempt: 3, result: 'done' })
    expect(runs[0]?.errors.map(String)).toEqual(['Error: no 1', 'Error: no 2'])
  })

  test.each([
    ['a number', 2, 3],
    ['retryIf', { retries: 5, retryIf: (error: unknown) => (error as Error).message !== 'attempt 2' }, 2],
    [
      'a broken retryIf',
      {
        retries: 5,
        retryIf: () => {
          throw new Error('oops')
        },
      },
      1,
    ],
    ['zero', 0, 1],
  ])('%s ends after so many attempts', async (_, retry, attempts) => {
    const { clock, scheduler, runs } = harness()
    scheduler.job('a', '1 * * * * *', { retry }, (run) => {
      throw new Error(`attempt ${run.attempt}`)
    })
    await scheduler.start()
    await clock.advance('50s')
    expect(runs).toHaveLength(1)
    expect(runs[0]).toMatchObject({ outcome: 'failed', attempt: attempts })
    expect(runs[0]?.errors).toHaveLength(attempts)
  })

  test.each([
    ['exponential', { delay: 100, maxDelay: 350 }, [100, 200, 350]],
    ['fixed', { backoff: 'fixed', delay: '2s' }, [2000, 2000, 2000]],
    ['a function', { backoff: (n: number) => `${n}s` }, [1000, 2000, 3000]],
  ] as const)('%s backoff', async (_, options, expected) => {
    const { clock, scheduler } = harness()
    const waits: number[] = []
    scheduler.on('waiting-retry', (_run, { delay }) => void waits.push(delay))
    scheduler.job('a', manual(), { retry: { retries: 3, jitter: 0, ...options } }, () =>
      Promise.reject(new Error()),
    )
    await scheduler.run('a')
    await clock.advance('1m')
    expect(waits).toEqual(expected)
  })

  test.each<[object, number[]]>([
    [{ delay: '1h' }, [3_600_000, 3_600_000, 3_600_000]],
    [{ delay: '2m' }, [120_000, 240_000, 300_000]],
    [{ delay: '2m', maxDelay: '1h' }, [120_000, 240_000, 480_000]],
    [{ backoff: 'exponential', delay: '20d' }, [1_728_000_000, 1_728_000_000, 1_728_000_000]],
    [{ backoff: 'fixed', delay: '1h' }, [3_600_000, 3_600_000, 3_600_000]],
    [{ backoff: 'fixed' }, [1000, 1000, 1000]],
    [{ backoff: (n: number) => `${n}h` }, [3_600_000, 7_200_000, 10_800_000]],
    [{ backoff: () => '24d' }, [2_073_600_000, 2_073_600_000, 2_073_600_000]],
    [{ backoff: (n: number) => `${n}h`, maxDelay: '90m' }, [3_600_000, 5_400_000, 5_400_000]],
  ])('no default shortens %j', async (options, expected) => {
    const { clock, scheduler } = harness()
    const waits: number[] = []
    scheduler.on('waiting-retry', (_run, { delay }) => void waits.push(delay))
    scheduler.job('a', manual(), { retry: { retries: 3, ...options } }, () => Promise.reject(new Error()))
    await scheduler.run('a')
    for (let i = 0; i < 3; i++) await clock.advance(expected[i] as number)
    expect(waits).toEqual(expected)
  })

  test.each<[object]>([
    [{ delay: '10m', maxDelay: '5m' }],
    [{ delay: '25d' }],
    [{ maxDelay: '25d' }],
    [{ backoff: () => 1, delay: '1s' }],
    [{ retries: 1.5 }],
    [{ retries: true }],
    [{ jitter: 2 }],
  ])('%j is refused', (options) => {
    const { scheduler } = harness()
    const add = () => scheduler.job('a', manual(), { retry: { retries: 3, ...options } as never }, () => {})
    expect(add).toThrow(EscapementError)
  })

  test.each<[string, object]>([
    ['backoff gives NaN', { backoff: () => NaN }],
    ['backoff gives a promise', { backoff: async () => '1s' }],
    ['backoff gives more than a timer can wait', { backoff: () => '30d' }],
    ['retryIf gives a promise', { retryIf: async () => true }],
    ['retryIf gives a promise that rejects', { retryIf: () => Promise.reject(new Error('oops')) }],
  ])('where %s the run fails, and the error says why', async (_, options) => {
    const { clock, scheduler, runs } = harness()
    const errors: unknown[] = []
    scheduler.on('error', (error) => void errors.push((error as { code: string }).code))
    scheduler.job('a', manual(), { retry: { retries: 3, ...options } }, () =>
      Promise.reject(new Error('mine')),
    )
    await scheduler.run('a')
    await clock.advance('1m')
    expect(runs.map(({ attempt, error }) => [attempt, String(error)])).toEqual([[1, 'Error: mine']])
    expect(errors).toEqual([expect.stringMatching(/^ERR_ESCAPEMENT_(OPTION|DURATION)$/)])
  })

  test('is given up when the scheduler stops', async () => {
    const { clock, scheduler, runs } = harness()
    scheduler.job('a', every('1s'), { retry: { retries: 3, delay: '1h', jitter: 0 } }, () =>
      Promise.reject(new Error('no')),
    )
    await scheduler.start()
    await clock.advance('1s')
    await scheduler.stop()
    expect(runs[0]).toMatchObject({ outcome: 'cancelled', attempt: 1 })
    expect(String(runs[0]?.errors[0])).toBe('Error: no')
  })
})

describe('timeout', () => {
  test('aborts the signal and ends the run', async () => {
    const { clock, scheduler, runs } = harness()
    scheduler.job('a', manual(), { timeout: '2s' }, (run) => sleep(run, clock, 60_000))
    const run = await liveRun(scheduler, 'a')
    await clock.advance('2s')
    expect(runs[0]).toMatchObject({ outcome: 'timed-out', duration: 2000 })
    expect(run.signal.reason).toMatchObject({ code: 'ERR_ESCAPEMENT_TIMEOUT' })
  })

  test('ends a run that ignores its signal two seconds later, and tells so', async () => {
    const { clock, scheduler, log } = harness()
    let ignored = 0
    scheduler.on('ignored-abort', () => void ignored++)
    scheduler.job('a', every('10s'), { timeout: '1s' }, () => new Promise(() => {}))
    await scheduler.start()
    await clock.advance('12999ms')
    expect(log).toEqual([])
    await clock.advance(1)
    expect(log).toEqual(['a timed-out 00:00:10'])
    expect(ignored).toBe(1)
    await clock.advance('10s')
    expect(log).toHaveLength(2)
  })

  test.each([
    ['throws', Promise.reject.bind(Promise, new Error('late'))],
    ['returns', () => 'late'],
  ])('a handler that %s after it does not change the outcome', async (_, late) => {
    const { clock, scheduler, runs } = harness()
    const gate = deferred()
    scheduler.job('a', manual(), { timeout: '1s' }, () => gate.promise.then(late))
    await scheduler.run('a')
    await clock.advance('4s')
    gate.resolve()
    await clock.settle()
    expect(runs).toHaveLength(1)
    expect(runs[0]).toMatchObject({ outcome: 'timed-out', result: undefined })
  })

  test('is of each attempt, and can be retried', async () => {
    const { clock, scheduler, runs } = harness()
    const signals = new Set<AbortSignal>()
    scheduler.job('a', manual(), { timeout: '1s', retry: { retries: 1, delay: 0 } }, (run) => {
      signals.add(run.signal)
      return run.attempt === 1 ? sleep(run, clock, 5000) : 'second'
    })
    await scheduler.run('a')
    await clock.advance('3s')
    expect(runs[0]).toMatchObject({ outcome: 'succeeded', attempt: 2, result: 'second' })
    expect(signals.size).toBe(2)
  })
})

describe('missed ticks', () => {
  const blocked = async (options: object, block: string) => {
    const { clock, scheduler, log, runs } = harness()
    scheduler.job('a', '*/10 * * * * *', options, () => {})
    await scheduler.start()
    await clock.advance('10s')
    await clock.block(block)
    return { log: log.slice(1), runs: runs.slice(1), clock }
  }

  test('latest: the newest runs once, the others are recorded', async () => {
    const { log, runs } = await blocked({}, '35s')
    expect(log).toEqual(['a missed 00:00:20', 'a missed 00:00:30', 'a succeeded 00:00:40'])
    expect(runs[2]).toMatchObject({ cause: 'schedule', late: 5000 })
  })

  test('all: each runs, one after the other', async () => {
    const { log } = await blocked({ missed: 'all' }, '35s')
    expect(log).toEqual(['a succeeded 00:00:20', 'a succeeded 00:00:30', 'a succeeded 00:00:40'])
  })

  test('skip: none runs that is more than ten seconds late', async () => {
    const { log } = await blocked({ missed: 'skip' }, '35s')
    expect(log).toEqual(['a missed 00:00:20', 'a missed 00:00:30', 'a succeeded 00:00:40'])
    const { log: late } = await blocked({ missed: 'skip', spread: 0 }, '9s')
    expect(late).toEqual([])
  })

  test('one warning for a job, and one for many jobs', async () => {
    const warned: object[] = []
    const logger = { debug() {}, info() {}, warn: (...line: object[]) => warned.push(line), error() {} }
    for (const jobs of [1, 1000]) {
      const { clock, scheduler } = harness({ logger })
      for (let i = 0; i < jobs; i++) scheduler.job(`job-${i}`, '*/10 * * * * *', () => {})
      await scheduler.start()
      await clock.block('35s')
      await clock.advance('1s')
    }
    const names = Array.from({ length: 10 }, (_, i) => `job-${i}`)
    expect(warned).toEqual([
      [{ job: 'job-0', missed: 2 }, 'job-0 missed 2 ticks'],
      [{ jobs: names, missed: 2000 }, '1000 jobs missed 2000 ticks'],
    ])
  })

  test('catchUpWindow bounds what is caught up', async () => {
    const { log } = await blocked({ missed: 'all', catchUpWindow: '16s' }, '35s')
    expect(log).toEqual(['a missed 00:00:20', 'a succeeded 00:00:30', 'a succeeded 00:00:40'])
  })

  test('all with slow runs: nothing overlaps, nothing is lost', async () => {
    const { clock, scheduler, log } = harness()
    scheduler.job('a', '*/10 * * * * *', { missed: 'all' }, (run) => sleep(run, clock, 3000))
    await scheduler.start()
    await clock.advance('15s')
    await clock.block('30s')
    await clock.advance('20s')
    expect(log).toEqual(
      [10, 20, 30, 40, 50].map((s) => `a succeeded 00:00:${s}`).concat('a succeeded 00:01:00'),
    )
  })

  test('older than a day are recorded as one', async () => {
    const { clock, scheduler, log, runs } = harness()
    scheduler.job('a', '0 * * * *', () => {})
    await scheduler.start()
    await clock.advance('1h')
    await clock.block('73h30m')
    expect(log.filter((line) => line.includes('succeeded'))).toEqual([
      'a succeeded 01:00:00',
      'a succeeded 02:00:00',
    ])
    expect(runs[1]).toMatchObject({ outcome: 'missed', until: new Date('2026-01-03T02:30:00Z') })
    expect(runs).toHaveLength(1 + 1 + 23 + 1)
    expect(runs.at(-1)?.tick.scheduledAt.toISOString()).toBe('2026-01-04T02:00:00.000Z')
  })
})

describe('the wall clock', () => {
  test.each([40_000, 3_600_000])('set forward by %d ms: no burst, missed ticks recorded', async (by) => {
    const { clock, scheduler, log } = harness()
    scheduler.job('a', '*/10 * * * * *', () => {})
    await scheduler.start()
    await clock.advance('10s')
    clock.step(by)
    await clock.advance('10s')
    expect(log.filter((line) => line.includes('succeeded'))).toHaveLength(2)
    expect(log).toHaveLength(1 + (by + 10_000) / 10_000)
  })

  test('set back by 40 s: silent until it has caught up, no tick twice', async () => {
    const { clock, scheduler, log, runs } = harness()
    scheduler.job('a', '*/10 * * * * *', () => {})
    await scheduler.start()
    await clock.advance('60s')
    clock.step(-40_000)
    await clock.advance('60s')
    expect(log).toHaveLength(8)
    expect(new Set(runs.map((run) => run.key)).size).toBe(8)
  })

  test('set back by an hour: jobs that follow elapsed time go on under new ids, fixed ones do not repeat', async () => {
    const { clock, scheduler, log, runs } = harness({ start: '2026-01-01T12:00:00Z' })
    let steps = 0
    scheduler.on('clock-step', () => void steps++)
    scheduler.job('often', '*/10 * * * *', () => {})
    scheduler.job('daily', '45 12 * * *', () => {})
    scheduler.job('each', every('10m'), () => {})
    await scheduler.start()
    await clock.advance('1h')
    clock.step(-3_600_000)
    await clock.advance('2h')
    expect(steps).toBe(1)
    expect(log.filter((line) => line.startsWith('daily'))).toEqual(['daily succeeded 12:45:00'])
    for (const name of ['often', 'each']) {
      const keys = runs.filter((run) => run.job.name === name).map((run) => run.key)
      expect(keys).toHaveLength(18)
      expect(new Set(keys).size).toBe(18)
      expect(keys).toContain(`${name}@2026-01-01T12:30:00.000Z~2`)
      expect(keys.at(-1)).toBe(`${name}@2026-01-01T14:00:00.000Z`)
    }
  })
})

describe('pause, blackout, spread', () => {
  test('paused ticks are skipped with the reason kept', async () => {
    const { clock, scheduler, log } = harness()
    const events: unknown[] = []
    scheduler.on('paused', (job, info) => void events.push([job.name, info]))
    scheduler.job('a', every('1s'), () => {})
    await scheduler.start()
    void scheduler.pause('a', { by: 'ann', reason: 'migration' })
    await clock.advance('1s')
    expect(scheduler.get('a').paused).toEqual({ by: 'ann', reason: 'migration' })
    void scheduler.resume('a')
    await clock.advance('1s')
    expect(log).toEqual(['a skipped:paused 00:00:01', 'a succeeded 00:00:02'])
    expect(events).toEqual([['a', { by: 'ann', reason: 'migration' }]])
  })

  test('ticks in a blackout are skipped, requests are not', async () => {
    const { clock, scheduler, log } = harness()
    scheduler.job('a', every('1s'), { blackout: (instant) => instant.getUTCSeconds() % 2 === 0 }, () => {})
    await scheduler.start()
    await clock.advance('2s')
    await scheduler.run('a')
    expect(log).toEqual(['a succeeded 00:00:01', 'a skipped:blackout 00:00:02', 'a succeeded 00:00:02'])
  })

  test('spread delays each job by its own amount; the tick stays nominal', async () => {
    const { clock, scheduler, runs } = harness()
    for (let i = 0; i < 50; i++) scheduler.job(`job-${i}`, '* * * * *', { spread: '30s' }, () => {})
    await scheduler.start()
    await clock.advance('90s')
    expect(runs).toHaveLength(50)
    expect(new Set(runs.map((run) => run.tick.scheduledAt.getTime())).size).toBe(1)
    const delays = runs.map((run) => run.late)
    expect(Math.max(...delays)).toBeLessThan(30_000)
    expect(new Set(delays).size).toBeGreaterThan(45)
  })
})

describe('concurrency', () => {
  test('lets so many run at a time, by priority, and serves the low ones too', async () => {
    const { clock, scheduler } = harness({ concurrency: 2 })
    const order: string[] = []
    let active = 0
    const work = (name: string) => async (run: Run) => {
      order.push(name)
      expect(++active).toBeLessThanOrEqual(2)
      await sleep(run, clock, 5000)
      active--
    }
    scheduler.job('low', manual(), { priority: 0, overlap: 'allow' }, work('low'))
    scheduler.job('high', manual(), { priority: 3, overlap: 'allow' }, work('high'))
    await scheduler.run('high')
    await scheduler.run('high')
    await scheduler.run('low')
    for (let i = 0; i < 20; i++) await scheduler.run('high')
    for (let i = 0; i < 60; i++) {
      await scheduler.run('high')
      await clock.advance('2s')
    }
    expect(order.slice(0, 3)).toEqual(['high', 'high', 'high'])
    expect(order).toContain('low')
    expect(active).toBe(2)
  })
})

describe('stop', () => {
  test('waits for runs within the grace', async () => {
    const { clock, scheduler, log } = harness()
    const stops: unknown[] = []
    scheduler.on('stop', (info) => void stops.push(info))
    scheduler.job('a', every('1s'), (run) => sleep(run, clock, 10_000))
    await scheduler.start()
    await clock.advance('1s')
    const stopped = scheduler.stop()
    await clock.advance('10s')
    await stopped
    expect(log).toEqual(['a succeeded 00:00:01'])
    expect(stops).toEqual([{ clean: true }])
  })

  test('aborts runs after it, and ends even if they ignore that', async () => {
    const { clock, scheduler, log } = harness({ drain: { grace: '3s' } })
    const stops: unknown[] = []
    scheduler.on('stop', (info) => void stops.push(info))
    scheduler.job('a', every('1s'), (run) => sleep(run, clock, 60_000))
    scheduler.job('deaf', every('1s'), () => new Promise(() => {}))
    await scheduler.start()
    await clock.advance('1s')
    let done = false
    void scheduler.stop().then(() => {
      done = true
    })
    await clock.advance('3s')
    expect(log).toEqual(['a cancelled 00:00:01'])
    await clock.advance('2s')
    expect(log).toEqual(['a cancelled 00:00:01', 'deaf cancelled 00:00:01'])
    expect(done).toBe(true)
    expect(stops).toEqual([{ clean: false }])
  })

  test('ends when a hook hangs', async () => {
    const stuck = {
      name: 'stuck',
      hooks: {
        run: (_: Run, next: () => unknown) => Promise.resolve(next()).then(() => new Promise<void>(() => {})),
      },
    }
    const { clock, scheduler, log } = harness({ drain: { grace: '1s' }, plugins: [stuck] })
    scheduler.job('a', every('1s'), () => {})
    await scheduler.start()
    await clock.advance('1s')
    let done = false
    void scheduler.stop().then(() => {
      done = true
    })
    await clock.advance('5s')
    expect(done).toBe(true)
    expect(log).toEqual(['a cancelled 00:00:01'])
  })

  test('ends when a plugin cannot stop', async () => {
    const { clock, scheduler } = harness({
      drain: { grace: '1s' },
      plugins: [{ name: 'stuck', stop: () => new Promise(() => {}) }],
    })
    await scheduler.start()
    let done = false
    void scheduler.stop().then(() => {
      done = true
    })
    await clock.advance('5s')
    expect(done).toBe(true)
  })
})

test('a run can be cancelled', async () => {
  const { clock, scheduler, runs } = harness()
  scheduler.job('a', manual(), { retry: 3 }, (run) => sleep(run, clock, 60_000))
  const run = await liveRun(scheduler, 'a')
  run.cancel('enough')
  await clock.settle()
  expect(runs[0]).toMatchObject({ outcome: 'cancelled', attempt: 1 })
  expect(run.error).toBeInstanceOf(EscapementError)
})

test('slow runs are reported while they run', async () => {
  const { clock, scheduler, runs } = harness()
  const slow: string[] = []
  scheduler.on('slow', (run) => void slow.push(`${run.job.name} ${run.state}`))
  scheduler.job('a', '1 * * * * *', { slow: '5s' }, (run) => sleep(run, clock, 55_000))
  await scheduler.start()
  await clock.advance('15s')
  expect(slow).toEqual(['a running'])
  await clock.advance('40s')
  expect(slow).toHaveLength(1)
  expect(runs).toHaveLength(0)
})
