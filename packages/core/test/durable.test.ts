import {
  type Claim,
  every,
  type JobOptions,
  type JobState,
  type Lock,
  memoryStore,
  type Refusal,
  type Store,
} from '@escapement/core'
import { describe, expect, test } from 'vitest'
import { deferred, harness } from './harness.ts'

/** A store that is durable as far as jobs go. */
function kept(states: JobState[] = []): { store: Store; decided: string[]; begun: string[] } {
  const decided: string[] = []
  const begun: string[] = []
  const store: Store = {
    ...memoryStore(),
    begin: (run) => void begun.push(run.key),
    jobs: {
      enroll: (jobs) => jobs.map((_, index) => states[index] ?? { decided: undefined }),
      decided: (job, at) => void decided.push(`${job} ${new Date(at).toISOString().slice(14, 23)}`),
    },
  }
  return { store, decided, begun }
}

describe('a durable store', () => {
  test('learns when a run begins, and how far the job is decided', async () => {
    const { store, decided, begun } = kept()
    const { clock, scheduler } = harness({ plugins: [{ name: 'kept', store }] })
    scheduler.job('a', every('1s'), () => {})
    await scheduler.start()
    await clock.advance('2s')
    expect(begun).toEqual(['a@2026-01-01T00:00:01.000Z', 'a@2026-01-01T00:00:02.000Z'])
    expect([...new Set(decided)]).toEqual(['a 00:01.000', 'a 00:02.000'])
  })

  test('is not told that a job is decided beyond a tick that still waits for its turn', async () => {
    const { store, decided } = kept()
    const { clock, scheduler, log } = harness({ plugins: [{ name: 'kept', store }] })
    const first = deferred()
    scheduler.job('a', every('1s'), { overlap: 'queue' }, () => first.promise)
    await scheduler.start()
    await clock.advance('4s')
    // 1 runs, 2 waits, 3 and 4 are skipped.
    expect(log).toEqual(['a skipped:overlap 00:00:03', 'a skipped:overlap 00:00:04'])
    expect([...new Set(decided)]).toEqual(['a 00:01.000', 'a 00:01.999'])
    first.resolve()
    await clock.settle()
    expect(decided.at(-1)).toBe('a 00:02.000')
  })

  test('is not told of what the shutdown has skipped: it is caught up', async () => {
    const { store, decided } = kept()
    const { clock, scheduler, log } = harness({
      plugins: [{ name: 'kept', store }],
      drain: { grace: 0, abort: 0 },
    })
    scheduler.job('a', every('1s'), { overlap: 'queue' }, (run) => {
      return new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason)))
    })
    await scheduler.start()
    await clock.advance('2s')
    await clock.until(scheduler.stop())
    expect(log).toContain('a skipped:shutdown 00:00:02')
    expect(decided.at(-1)).not.toBe('a 00:02.000')
  })

  test('that fails at the start does not keep the jobs from running', async () => {
    const { store } = kept()
    const broken = {
      ...store,
      jobs: { ...store.jobs, enroll: () => Promise.reject(new Error('broken')) },
    } as Store
    const { clock, scheduler, log, lines } = harness({ plugins: [{ name: 'kept', store: broken }] })
    scheduler.job('a', every('1s'), () => {})
    await scheduler.start()
    await clock.advance('1s')
    expect(log).toEqual(['a succeeded 00:00:01'])
    expect(lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'store.jobs fails: broken: missed ticks are not caught up',
    ])
  })

  test('tells of a long downtime at once: many ticks are one record', async () => {
    const { store } = kept([{ decided: Date.parse('2025-12-31T00:00:00Z') }])
    const { clock, scheduler, runs } = harness({ plugins: [{ name: 'kept', store }] })
    scheduler.job('a', every('1s'), () => {})
    await scheduler.start()
    await clock.advance(1)
    expect(runs.map(({ outcome, cause, tick, until }) => [outcome, cause, tick.scheduledAt, until])).toEqual([
      ['missed', 'catch-up', new Date('2025-12-31T00:00:01Z'), new Date('2025-12-31T23:59:59.999Z')],
      ['succeeded', 'schedule', new Date('2026-01-01T00:00:00Z'), undefined],
    ])
  })
})

describe('in a fleet, a tick that is late here', () => {
  const claim = (finished: string[] = []): Claim => ({
    granted: true,
    fence: 1,
    held: () => true,
    onLost: () => () => {},
    complete: async (outcome) => void finished.push(outcome),
    release: async () => {},
  })

  async function late(answer: Claim | Refusal): Promise<string[]> {
    const lock: Lock = {
      claim: async (run) => (run.tick.scheduledAt.getTime() % 60_000 === 5000 ? claim() : answer),
    }
    const { clock, scheduler, log } = harness({ plugins: [{ name: 'lock', lock }] })
    scheduler.job('a', every('1s'), () => {})
    await scheduler.start()
    await clock.block('5s')
    await clock.settle()
    return log.filter((line) => !line.includes('succeeded')).slice(0, 2)
  }

  test('is missed if nobody has taken it, which the lock learns', async () => {
    const finished: string[] = []
    expect(await late(claim(finished))).toEqual(['a missed 00:00:01', 'a missed 00:00:02'])
    expect(finished.slice(0, 2)).toEqual(['missed', 'missed'])
  })

  test('is not missed if another instance has taken it', async () => {
    expect(await late({ granted: false, reason: 'claimed-elsewhere' })).toEqual([
      'a skipped:claimed-elsewhere 00:00:01',
      'a skipped:claimed-elsewhere 00:00:02',
    ])
  })

  test('does not keep those waiting that can still run', async () => {
    const asked: { at: number; answer: () => void }[] = []
    const lock: Lock = {
      claim: ({ tick }) =>
        new Promise((resolve) => {
          const answer = () => resolve({ granted: false, reason: 'claimed-elsewhere' })
          asked.push({ at: tick.scheduledAt.getUTCSeconds(), answer })
        }),
    }
    const { clock, scheduler, log } = harness({ plugins: [{ name: 'lock', lock }] })
    for (let i = 0; i < 300; i++) scheduler.job(`job-${i}`, every('1s'), () => {})
    await scheduler.start()
    await clock.block('2s')
    await clock.settle()
    const open = (at: number) => asked.filter((each) => each.at === at).length
    expect([open(1), open(2)]).toEqual([200, 300])
    asked[0]?.answer()
    await clock.settle()
    expect(open(1)).toBe(201)
    const stopped = scheduler.stop({ grace: '1m' })
    await clock.settle()
    // Nobody has looked into them: they are not said to be missed.
    expect(log.filter((line) => line.includes('skipped:shutdown')).length).toBe(99)
    for (const { answer } of asked) answer()
    await stopped
    expect(log.length).toBe(600)
  })

  test('is missed if the lock cannot tell', async () => {
    expect(await late({ granted: false, reason: 'claim-unavailable' })).toEqual([
      'a missed 00:00:01',
      'a missed 00:00:02',
    ])
  })
})

describe('a tick that is left to other instances for a while', () => {
  async function left(claimDelay: NonNullable<Lock['claimDelay']>, block = '0s', options: JobOptions = {}) {
    const claimed: string[] = []
    const lock: Lock = {
      claimDelay,
      claim({ job, tick }) {
        claimed.push(`${job.name} +${clock.now() - tick.scheduledAt.getTime()}`)
        return { granted: false, reason: 'claimed-elsewhere' }
      },
    }
    const { clock, scheduler, lines, log } = harness({ plugins: [{ name: 'lock', lock }] })
    for (const name of ['a', 'b']) scheduler.job(name, every('1s'), options, () => {})
    await scheduler.start()
    await clock.block(block)
    await clock.advance('1500ms')
    await scheduler.stop()
    return { claimed, lines, log }
  }

  test('comes later, and costs nothing before', async () => {
    const asked: string[] = []
    const { claimed, log } = await left((job, at, now) => {
      asked.push(`${job.name} ${at - now}`)
      return job.name === 'a' ? 200 : 0
    })
    expect(claimed).toEqual(['b +0', 'a +200'])
    // Each when it is armed and when its time has come.
    expect(asked).toEqual(['a 1000', 'b 1000', 'b 0', 'b 1000', 'a -200', 'a 1000'])
    expect(log).toEqual(['b skipped:claimed-elsewhere 00:00:01', 'a skipped:claimed-elsewhere 00:00:01'])
  })

  test('is spread on top of that', async () => {
    const asked: number[] = []
    const { claimed } = await left(
      (_, at, now) => {
        asked.push(at - now)
        return 200
      },
      '0s',
      { spread: '200ms' },
    )
    expect(claimed).toEqual(['a +378', 'b +380'])
    expect(asked).toEqual([1000, 1000, -200, 1000, -200, 1000])
  })

  test('comes as soon as nobody is before us any more', async () => {
    let asked = 0
    const { claimed } = await left(() => (asked++ < 2 ? 200 : 0))
    expect(claimed).toEqual(['a +200', 'b +200'])
  })

  test('comes at once when that time is over already', async () => {
    const { claimed } = await left(() => 200, '1700ms')
    expect(claimed.slice(0, 2)).toEqual(['a +700', 'b +700'])
  })

  test('comes at once when the lock fails to say', async () => {
    const { claimed, lines } = await left(() => {
      throw new Error('oops')
    })
    expect(claimed).toEqual(['a +0', 'b +0'])
    const errors = lines.filter(({ level }) => level === 'error').map(({ message }) => message)
    expect(errors).toEqual(['lock.claimDelay fails: oops: ticks are not left to other instances'])
  })
})
