import { every, manual } from '@escapement/core'
import { describe, expect, test } from 'vitest'
import { deferred, harness } from './harness.ts'

describe('ticks', () => {
  test('run at their instants, never early', async () => {
    const { clock, scheduler, log, runs } = harness()
    scheduler.job('a', '*/2 * * * * *', () => {})
    await scheduler.start()
    await clock.advance(1999)
    expect(log).toEqual([])
    await clock.advance(2001)
    expect(log).toEqual(['a succeeded 00:00:02', 'a succeeded 00:00:04'])
    expect(runs[0]).toMatchObject({
      cause: 'schedule',
      attempt: 1,
      late: 0,
      key: 'a@2026-01-01T00:00:02.000Z',
    })
  })

  test('of one moment run in the order of registration', async () => {
    const { clock, scheduler, log } = harness()
    for (const name of ['x', 'y', 'z']) scheduler.job(name, '* * * * *', () => {})
    await scheduler.start()
    await clock.advance('1m')
    expect(log.map((line) => line[0])).toEqual(['x', 'y', 'z'])
  })

  test('wait longer than a timer can', async () => {
    const { clock, scheduler, log } = harness()
    scheduler.job('once', '0 0 28 1 *', () => {})
    await scheduler.start()
    await clock.advance('26d')
    expect(log).toEqual([])
    await clock.advance('1d')
    expect(log).toEqual(['once succeeded 00:00:00'])
  })

  test('starting twice does not fire twice, stopping and starting again goes on', async () => {
    const { clock, scheduler, log } = harness()
    scheduler.job('a', every('1s'), () => {})
    await Promise.all([scheduler.start(), scheduler.start()])
    await clock.advance('2s')
    expect(log).toHaveLength(2)
    await Promise.all([scheduler.stop(), scheduler.stop()])
    await clock.advance('5s')
    expect(log).toHaveLength(2)
    await scheduler.start()
    await clock.advance('2s')
    expect(log).toHaveLength(4)
    expect(clock.pending).toBe(1)
  })

  test('of a removed job end; its run under way goes on', async () => {
    const { clock, scheduler, log } = harness()
    const gate = deferred()
    const job = scheduler.job('a', every('1s'), () => gate.promise)
    await scheduler.start()
    await clock.advance('1s')
    job.remove()
    expect(scheduler.has('a')).toBe(false)
    gate.resolve()
    await clock.advance('5s')
    expect(log).toEqual(['a succeeded 00:00:01'])
  })
})

describe('requests', () => {
  test('run at once and can be waited for', async () => {
    const { scheduler } = harness()
    scheduler.job<{ n: number }>('double', manual(), (run) => run.data.n * 2)
    const run = await scheduler.run('double', { n: 21 }, { wait: true })
    expect(run).toMatchObject({ outcome: 'succeeded', result: 42, cause: 'manual', attempt: 1 })
    expect(run.key).toBe(run.id)
    expect(run.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('get a copy of the data', async () => {
    const { scheduler } = harness()
    let seen: unknown
    scheduler.job('a', manual(), (run) => {
      seen = run.data
    })
    const data = { list: [1] }
    await scheduler.run('a', data)
    expect(seen).toEqual(data)
    expect(seen).not.toBe(data)
    await expect(scheduler.run('a', { req: () => {} })).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_DATA' })
    await expect(scheduler.run('nobody')).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_JOB_UNKNOWN' })
  })

  test('are refused while stopping', async () => {
    const { scheduler } = harness()
    scheduler.job('a', manual(), () => {})
    await scheduler.start()
    await scheduler.stop()
    await expect(scheduler.run('a')).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_STOPPED' })
  })
})

describe('failures', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('no')
      },
    ],
    [
      'throws a string',
      () => {
        throw 'no'
      },
    ],
    ['rejects with undefined', () => Promise.reject()],
  ])('a handler that %s ends its own run only', async (_, handler) => {
    const { clock, scheduler, log, lines } = harness()
    scheduler.job('bad', every('1s'), handler)
    scheduler.job('good', every('1s'), () => {})
    await scheduler.start()
    await clock.advance('2s')
    expect(log).toEqual(
      expect.arrayContaining([
        'bad failed 00:00:01',
        'good succeeded 00:00:01',
        'bad failed 00:00:02',
        'good succeeded 00:00:02',
      ]),
    )
    expect(log).toHaveLength(4)
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(2)
  })

  test('of listeners and hooks harm nobody', async () => {
    const errors: string[] = []
    const broken = {
      name: 'broken',
      hooks: {
        run: () => {
          throw new Error('hook')
        },
        attempt: async () => {
          throw new Error('hook')
        },
      },
    }
    const { clock, scheduler, log } = harness({ plugins: [broken] })
    scheduler.on('running', () => {
      throw new Error('listener')
    })
    scheduler.on('settled', async () => {
      throw new Error('listener')
    })
    scheduler.on('error', (_, { source }) => void errors.push(source))
    scheduler.on('error', () => {
      throw new Error('worse')
    })
    scheduler.job('a', every('1s'), () => {})
    await scheduler.start()
    await clock.advance('1s')
    await clock.settle()
    expect(log).toEqual(['a succeeded 00:00:01'])
    expect(errors.sort()).toEqual([
      'broken.attempt',
      'broken.run',
      "listener of 'running'",
      "listener of 'settled'",
    ])
  })
})
