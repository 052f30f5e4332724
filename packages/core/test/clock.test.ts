import {
  at,
  every,
  type Host,
  type Lock,
  memoryStore,
  type Plugin,
  type Run,
  type Store,
} from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const MONTHS = 90 * DAY

/** Two ways to be wrong: the machine's clock, or that of a server a plugin follows. */
function world(start: string, plugins: Plugin[] = []) {
  let host: Host | undefined
  let offset = 0
  const plugin: Plugin = {
    name: 'server',
    setup(given) {
      host = given
    },
  }
  const made = harness({ start, plugins: [plugin, ...plugins] })
  return {
    ...made,
    host: () => host as Host,
    machine: (by: number) => made.clock.step(by),
    server: (by: number) => {
      offset += by
      host?.adjustClock(offset)
    },
    /** What ran, as `name day hour:minute`. */
    ran: () =>
      made.runs
        .filter((run) => run.outcome === 'succeeded')
        .map((run) => `${run.job.name} ${run.tick.scheduledAt.toISOString().slice(2, 16)}`),
  }
}

/** The instants of the ticks that ran: none twice, whatever is behind its id. */
function instants(runs: readonly Run[]): string[] {
  const all = runs
    .filter((run) => run.outcome === 'succeeded')
    .map((run) => `${run.job.name} ${run.tick.scheduledAt.toISOString()}`)
  expect(new Set(all).size).toBe(all.length)
  return all
}

const steps: [string, 'machine' | 'server', number][] = [
  ['the machine, months', 'machine', MONTHS],
  ['the machine, five hours', 'machine', 5 * HOUR],
  ['the machine, beyond the range of dates', 'machine', 9e15],
  ['the server, five hours', 'server', 5 * HOUR],
]

describe('a clock that was ahead', () => {
  test.each(steps)('for two seconds while it runs: %s', async (_, whose, by) => {
    const { clock, scheduler, runs, ran, ...set } = world('2026-01-01T08:00:00Z')
    scheduler.job('daily', '0 9,12 * * *', () => {})
    scheduler.job('once', at('2026-01-01T10:00:00Z'), () => {})
    scheduler.job('list', ['15 9 * * *', at('2026-01-01T11:00:00Z')], () => {})
    await scheduler.start()
    await clock.advance('29m59s')
    set[whose](by)
    // Over a look at the clock, which comes every 30 s.
    await clock.advance('2s')
    set[whose](-by)
    const before = runs.splice(0)
    await clock.advance('26h')
    const expected = [
      'daily 26-01-01T09:00',
      'list 26-01-01T09:15',
      'once 26-01-01T10:00',
      'list 26-01-01T11:00',
      'daily 26-01-01T12:00',
      'daily 26-01-02T09:00',
      'list 26-01-02T09:15',
    ]
    // What ran while the clock was ahead does not run again: the newest late ticks of five hours.
    const late = by === 5 * HOUR ? ['once 26-01-01T10:00', 'list 26-01-01T11:00', 'daily 26-01-01T12:00'] : []
    expect(ran()).toEqual(expected.filter((line) => !late.includes(line)))
    await clock.advance(by > MONTHS ? '10d' : by + DAY)
    instants([...before, ...runs])
  })

  test('over the very moment of a tick: it runs afterwards, and once', async () => {
    const { clock, scheduler, runs, machine } = world('2026-01-01T08:00:00Z')
    scheduler.job('daily', '0 9 * * *', () => {})
    scheduler.job('once', at('2026-01-01T09:00:01Z'), () => {})
    await scheduler.start()
    await clock.advance(HOUR - 1000)
    machine(10 * DAY)
    await clock.advance('3s')
    machine(-10 * DAY)
    await clock.advance('35s')
    expect(instants(runs).filter((line) => line.includes('2026-01-01'))).toEqual([
      'daily 2026-01-01T09:00:00.000Z',
      'once 2026-01-01T09:00:01.000Z',
    ])
    await clock.advance('12d')
    // That of the tenth day ran when the clock showed it.
    expect(instants(runs).filter((line) => line.startsWith('daily'))).toHaveLength(13)
  })

  test.each([
    ['months', MONTHS],
    ['beyond the range of dates', 9e15],
  ])('when the process started: %s', async (_, by) => {
    const { clock, scheduler, runs, ran, machine } = world('2026-01-01T08:00:00Z')
    scheduler.job('daily', '0 9 * * *', () => {})
    scheduler.job('once', at('2026-01-01T10:00:00Z'), () => {})
    scheduler.job('often', '*/30 * * * *', () => {})
    machine(by)
    await scheduler.start()
    await clock.advance('5m')
    machine(-by)
    runs.length = 0
    await clock.advance('2h')
    expect(ran().sort()).toEqual(
      [
        'daily 26-01-01T09:00',
        'often 26-01-01T08:30',
        'often 26-01-01T09:00',
        'often 26-01-01T09:30',
        'often 26-01-01T10:00',
        'once 26-01-01T10:00',
      ].sort(),
    )
  })

  test('and lived in the false time: what ran there does not run again', async () => {
    const { clock, scheduler, runs, machine } = world('2026-01-06T08:00:00Z')
    scheduler.job('daily', '0 9 * * *', () => {})
    await scheduler.start()
    await clock.advance('3d')
    machine(-5 * DAY)
    await clock.advance('8d')
    const days = instants(runs).map((line) => line.slice(14, 16))
    // The 6th, 7th and 8th ran, then the clock showed the 4th.
    expect(days).toEqual(['06', '07', '08', '04', '05', '09', '10', '11'])
  })

  test('a job that never ran is due at times that the clock shows again', async () => {
    const { clock, scheduler, ran, machine } = world('2026-01-01T08:00:00Z')
    await scheduler.start()
    await clock.advance('2h')
    scheduler.job('new', '30 9 * * *', () => {})
    machine(-HOUR)
    await clock.advance('2h')
    expect(ran()).toEqual(['new 26-01-01T09:30'])
  })

  test('late ticks one after the other go on where the clock is', async () => {
    const { clock, scheduler, runs, machine } = world('2026-01-01T08:00:00Z')
    scheduler.job(
      'all',
      '0 9 * * *',
      { missed: 'all' },
      () => new Promise((resolve) => void clock.setTimeout(() => resolve(undefined), 1000)),
    )
    await scheduler.start()
    await clock.advance('5m')
    machine(3 * DAY)
    await clock.advance('31s')
    machine(-3 * DAY)
    await clock.advance('5d')
    expect(
      instants(runs)
        .map((line) => line.slice(12, 14))
        .sort(),
    ).toEqual(['01', '02', '03', '04', '05'])
  })
  test('a forward correction after sleep, then a small one back, runs nothing that was missed', async () => {
    const { clock, scheduler, ran, machine } = world('2026-01-01T00:30:00Z')
    scheduler.job('hourly', '0 1,2,3,4 * * *', () => {})
    await scheduler.start()
    await clock.advance('1m')
    machine(4 * HOUR)
    await clock.advance('1m')
    expect(ran()).toEqual(['hourly 26-01-01T04:00'])
    machine(-2 * MINUTE)
    await clock.advance('1h')
    expect(ran()).toEqual(['hourly 26-01-01T04:00'])
  })
})

describe('with a lock and a durable store', () => {
  /** Gives each tick to the first claim, for ever, as the locks of a fleet do. */
  function claims(): Lock & { ticks: string[] } {
    const ticks: string[] = []
    return {
      ticks,
      claim: (run) => {
        if (ticks.includes(run.tick.id)) return { granted: false, reason: 'claimed-elsewhere' }
        ticks.push(run.tick.id)
        return {
          granted: true,
          restarts: 0,
          fence: ticks.length,
          held: () => true,
          onLost: () => () => {},
          complete: async () => {},
          release: async () => {},
        }
      },
    }
  }

  test('a tick that was reported as missed in the false time runs after all, once in the fleet', async () => {
    const lock = claims()
    const { clock, scheduler, runs, machine } = world('2026-01-01T08:00:00Z', [{ name: 'lock', lock }])
    scheduler.job('daily', '0 9 * * *', () => {})
    await scheduler.start()
    await clock.advance(HOUR - 1000)
    machine(10 * DAY)
    await clock.advance('3s')
    machine(-10 * DAY)
    await clock.advance('12d')
    const days = instants(runs).map((line) => line.slice(14, 16))
    expect(days.sort()).toEqual('01 02 03 04 05 06 07 08 09 10 11 12 13'.split(' '))
  })

  test('the store is asked again, so that it lowers what the false time has decided', async () => {
    const asked: string[] = []
    const store: Store = {
      ...memoryStore(),
      jobs: {
        enroll: (jobs, now) => {
          asked.push(new Date(now).toISOString().slice(0, 16))
          return jobs.map(() => ({ decided: undefined }))
        },
        decided: () => {},
      },
    }
    const { clock, scheduler, machine } = world('2026-01-01T08:00:00Z', [{ name: 'kept', store }])
    scheduler.job('daily', '0 9 * * *', () => {})
    await scheduler.start()
    machine(MONTHS)
    await clock.advance('1m')
    machine(-MONTHS)
    await clock.advance('1m')
    expect(asked).toEqual(['2026-01-01T08:00', '2026-01-01T08:01'])
  })

  test('a clock that flaps runs nothing twice', async () => {
    const { clock, scheduler, runs, machine } = world('2026-01-01T08:00:00Z')
    scheduler.job('daily', '0 9,10,11 * * *', () => {})
    scheduler.job('once', at('2026-01-01T10:30:00Z'), () => {})
    await scheduler.start()
    for (let i = 0; i < 40; i++) {
      machine(i % 2 === 0 ? 3 * HOUR : -3 * HOUR)
      await clock.advance('7m')
    }
    machine(0)
    await clock.advance('2d')
    const all = instants(runs)
    expect(all.filter((line) => line.startsWith('once'))).toHaveLength(1)
    expect(all.filter((line) => line.includes('daily 2026-01-02'))).toHaveLength(3)
  })
})

describe('what is no time is not followed', () => {
  test.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['beyond the range', 9e15],
    ['text', '1800000000000'],
    ['more than a day', DAY + 1],
    ['more than a day behind', -DAY - 1],
    ['nothing', undefined],
  ])('of a server: %s', async (_, offset) => {
    const { clock, scheduler, ran, host, lines } = world('2026-01-01T08:00:00Z')
    scheduler.job('daily', '0 9 * * *', () => {})
    await scheduler.start()
    host().adjustClock(2000)
    for (let i = 0; i < 3; i++) host().adjustClock(offset as number)
    await clock.advance('2h')
    expect(ran()).toEqual(['daily 26-01-01T09:00'])
    expect(host().adjustClock(offset as number)).toBe(false)
    const told = lines.filter(({ message }) => message?.includes('is not followed'))
    expect(told.map(({ level }) => level)).toEqual(['error'])
    expect(host().adjustClock(1000)).toBe(true)
    host().adjustClock(offset as number)
    expect(lines.filter(({ message }) => message?.includes('is not followed'))).toHaveLength(2)
  })

  test.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['text', '1800000000000'],
    ['nothing', undefined],
  ])('of the machine: %s, while it runs', async (_, wrong) => {
    const clock = new VirtualClock('2026-01-01T08:00:00Z')
    const right = clock.now.bind(clock)
    const { scheduler, runs, lines } = harness({ clock })
    scheduler.job('daily', '0 9 * * *', () => {})
    scheduler.job('often', every('30m'), () => {})
    await scheduler.start()
    await clock.advance('1m')
    clock.now = () => wrong as number
    await clock.advance('70m')
    clock.now = right
    await clock.advance('60m')
    expect(instants(runs).map((line) => line.replace(/ .*T/, ' '))).toEqual([
      'often 08:30:00.000Z',
      'daily 09:00:00.000Z',
      'often 09:00:00.000Z',
      'often 09:30:00.000Z',
      'often 10:00:00.000Z',
    ])
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  test('plugins are not shown it either', async () => {
    const { clock, host, lines } = world('2026-01-01T08:00:00Z')
    clock.now = () => Number.NaN
    expect(new Date(host().clock.now()).toISOString()).toMatch(/^20/)
    expect(host().clock.monotonic()).toBe(clock.monotonic())
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  test('of the machine, from the start on: the jobs run once it shows one', async () => {
    const clock = new VirtualClock('2026-01-01T08:00:00Z')
    const right = clock.now.bind(clock)
    const { scheduler, runs } = harness({ clock })
    scheduler.job('daily', '0 9 * * *', () => {})
    clock.now = () => Number.NaN
    await scheduler.start()
    await clock.advance('1m')
    clock.now = right
    await clock.advance('2h')
    expect(instants(runs)).toContain('daily 2026-01-01T09:00:00.000Z')
  })
})

describe('jobs that will not run any more', () => {
  const told = (lines: { level: string; message: string | undefined }[]) =>
    lines
      .filter(({ message }) => message?.includes('will not run any more'))
      .map(({ level, message }) => `${level} ${message}`)

  test('are said once: at the start, when they are added, after their last tick', async () => {
    const { clock, scheduler, lines } = world('2026-01-01T08:00:00Z')
    scheduler.job('past', at('2025-01-01T00:00:00Z'), () => {})
    scheduler.job('years', '0 0 9 1 1 * 2024-2025', () => {})
    scheduler.job('last', at('2026-01-01T09:00:00Z'), () => {})
    await scheduler.start()
    scheduler.job('added', at('2025-01-01T00:00:00Z'), () => {})
    expect(told(lines)).toEqual([
      'warn past will not run any more: its trigger (at 2025-01-01T00:00:00.000Z) has no instant after 2026-01-01T08:00:00.000Z',
      expect.stringMatching(/^warn years will not run any more/),
      expect.stringMatching(/^warn added will not run any more/),
    ])
    await clock.advance('3h')
    expect(told(lines).slice(3)).toEqual([expect.stringMatching(/^info last will not run any more/)])
    await clock.until(scheduler.stop())
    await scheduler.start()
    await clock.advance('1h')
    expect(told(lines)).toHaveLength(4)
  })
  test('but not those that wait for others or are run by hand', async () => {
    const { manual, after } = await import('@escapement/core')
    const { clock, scheduler, lines } = world('2026-01-01T08:00:00Z')
    scheduler.job('by-hand', manual(), () => {})
    scheduler.job('follows', after('by-hand'), () => {})
    await scheduler.start()
    await clock.advance('1h')
    expect(told(lines)).toEqual([])
  })
})

describe('a trigger of others that does not work', () => {
  test.each<[string, () => unknown]>([
    ['NaN', () => Number.NaN],
    ['text', () => '2026-12-24'],
    ['a promise', () => Promise.reject(new Error('late'))],
    ['an invalid Date', () => new Date('soon')],
    ['a date not after', () => new Date(0)],
    [
      'an error',
      () => {
        throw new Error('no calendar')
      },
    ],
    [
      'another error each time',
      () => {
        throw new Error(`at ${Math.random()}`)
      },
    ],
  ])('gives %s: told once while it lasts, and it is asked again', async (_, next) => {
    const { clock, scheduler, lines, ran } = world('2026-01-01T08:00:00Z')
    let works = false
    const errors: unknown[] = []
    scheduler.on('error', (error) => void errors.push(error))
    const trigger = {
      next: (after: Date) => (works ? new Date(after.getTime() + 10 * MINUTE) : next()) as Date,
    }
    scheduler.job('odd', trigger, () => {})
    scheduler.job('good', every('1h'), () => {})
    await scheduler.start()
    await clock.advance('2h')
    expect(errors).toHaveLength(1)
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    expect(ran()).toEqual(['good 26-01-01T09:00', 'good 26-01-01T10:00'])
    works = true
    await clock.advance('30m')
    expect(ran().filter((line) => line.startsWith('odd')).length).toBeGreaterThan(1)
    expect(
      lines.filter(({ message }) => message?.includes('the trigger of odd gives instants again')),
    ).toHaveLength(1)
    works = false
    await clock.advance('1h')
    expect(errors).toHaveLength(2)
  })
})

// CLOCKS=500 npx vitest run … for a long search.
test('whatever is done to the clock: nothing at fixed times runs twice, and nothing is dead afterwards', async () => {
  const moves = fc.array(
    fc.tuple(
      fc.oneof(
        fc.integer({ min: -5 * HOUR, max: 5 * HOUR }),
        fc.integer({ min: -3 * MINUTE, max: 3 * MINUTE }),
        fc.integer({ min: -40 * 24 * HOUR, max: 40 * 24 * HOUR }),
      ),
      fc.integer({ min: 0, max: 3 * HOUR }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  await fc.assert(
    fc.asyncProperty(
      moves,
      fc.constantFrom('latest', 'all', 'skip'),
      fc.boolean(),
      async (all, missed, back) => {
        const { clock, scheduler, runs } = harness({ start: '2026-03-01T08:00:00Z' })
        scheduler.job('fixed', '0,20,40 0-23 * * *', { missed: missed as 'all' }, () => {})
        scheduler.job('daily', '30 9 * * *', { missed: missed as 'all' }, () => {})
        scheduler.job('once', at('2026-03-01T12:00:00Z'), { missed: missed as 'all' }, () => {})
        scheduler.job('often', every('17m'), () => {})
        await scheduler.start()
        let moved = 0
        for (const [by, wait] of all) {
          clock.step(by)
          moved += by
          await clock.advance(wait)
        }
        if (back) clock.step(-moved)
        await clock.advance('1m')
        const now = clock.now()
        await clock.advance('26h')
        // Those that follow elapsed time meet instants again.
        const ok = runs.filter((run) => run.outcome === 'succeeded' && run.job.name !== 'often')
        const ids = ok.map((run) => `${run.job.name} ${run.tick.scheduledAt.toISOString()}`)
        const twice = ids.filter((id, i) => ids.indexOf(id) !== i)
        expect(twice).toEqual([])
        // All ticks from now on have run, now or before; over up to a minute set back, jobs wait.
        const missing: string[] = []
        for (
          let t = Math.ceil((now + MINUTE + 1) / (20 * MINUTE)) * 20 * MINUTE;
          t <= now + 25 * HOUR;
          t += 20 * MINUTE
        ) {
          const id = `fixed ${new Date(t).toISOString()}`
          if (!ids.includes(id)) missing.push(id)
        }
        expect(missing).toEqual([])
        await clock.until(scheduler.stop())
      },
    ),
    process.env.CLOCKS ? { numRuns: Number(process.env.CLOCKS) } : { numRuns: 25, seed: 26 },
  )
}, 300_000)
