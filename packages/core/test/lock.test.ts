import { type Claim, every, type Lock, manual, type Refusal, type Run } from '@escapement/core'
import { describe, expect, test } from 'vitest'
import { deferred, type Harness, harness } from './harness.ts'

const never = () => new Promise<never>(() => {})
const fails = () => Promise.reject(new Error('database is locked'))
const throws = () => {
  throw new Error('database is locked')
}

function granted(broken: Partial<Record<keyof Claim, unknown>> = {}): Claim {
  return {
    granted: true,
    held: () => true,
    onLost: () => () => {},
    complete: async () => {},
    release: async () => {},
    ...broken,
  } as Claim
}

function withLock(lock: Partial<Record<keyof Lock, unknown>>): Harness {
  const given = { claim: () => granted(), ...lock } as Lock
  return harness({ drain: { grace: '5s', abort: '2s' }, plugins: [{ name: 'lock', lock: given }] })
}

const errors = ({ lines }: Harness) =>
  lines.filter(({ level }) => level === 'error').map(({ message }) => message)

describe.each([
  ['throws', throws],
  ['rejects', fails],
  ['never answers', never],
  ['answers nonsense', () => 7],
])('a complete() that %s', (how, complete) => {
  test('leaves the outcome as it is, is reported once, and the next ticks run', async () => {
    const h = withLock({ claim: () => granted({ complete }) })
    h.scheduler.job('good', every('10s'), () => 'done')
    h.scheduler.job('bad', every('10s'), () => {
      throw new Error('of the handler')
    })
    await h.scheduler.start()
    await h.clock.advance('39s')
    const ended = (name: string) => h.runs.filter(({ job }) => job.name === name)
    expect(ended('good').map(({ outcome, result }) => [outcome, result])).toEqual(
      Array(3).fill(['succeeded', 'done']),
    )
    expect(ended('bad').map(({ outcome, errors }) => [outcome, errors.map(String)])).toEqual(
      Array(3).fill(['failed', ['Error: of the handler']]),
    )
    const told = errors(h).filter((line) => line?.startsWith('lock.complete fails'))
    expect(told).toHaveLength(how === 'answers nonsense' ? 0 : 1)
  })

  test('does not make a run cancelled that is at its end when the scheduler stops', async () => {
    const h = withLock({ claim: () => granted({ complete }) })
    h.scheduler.job('a', manual(), () => 'done')
    await h.scheduler.start()
    void h.scheduler.run('a')
    const stopped = h.scheduler.stop({ grace: '1s' })
    await h.clock.advance('10s')
    await stopped
    expect(h.runs).toMatchObject([{ outcome: 'succeeded', result: 'done', error: undefined }])
  })
})

test('a lease that is lost while the end is written does not change the outcome', async () => {
  const gate = deferred()
  let lose: (reason: Error) => void = () => {}
  const h = withLock({
    claim: () =>
      granted({
        onLost: (callback: (reason: Error) => void) => {
          lose = callback
          return () => {}
        },
        complete: () => gate.promise,
        release: async () => {},
      }),
  })
  h.scheduler.job('a', manual(), () => 'done')
  await h.scheduler.start()
  void h.scheduler.run('a')
  await h.clock.settle()
  lose(new Error('the heartbeat was late'))
  gate.resolve()
  await h.clock.settle()
  expect(h.log[0]).toMatch('a succeeded')
})

describe.each<[string, () => unknown]>([
  ['throws', throws],
  ['rejects', fails],
  ['never answers', never],
  ['answers undefined', () => undefined],
  ['answers true', () => true],
  ['grants without the methods of a claim', () => ({ granted: true })],
  ['refuses for a reason that there is not', async () => ({ granted: false, reason: 'full moon' })],
  ['answers null, later', async () => null],
])('a claim() that %s', (_, claim) => {
  test('is as if the lock were not available, and is reported once', async () => {
    const h = withLock({ claim })
    h.scheduler.job('a', every('1m'), () => {})
    h.scheduler.job('b', every('1m'), { onLockUnavailable: 'run' }, () => {})
    await h.scheduler.start()
    await h.clock.advance('3m35s')
    expect(h.log.filter((line) => line.startsWith('a'))).toEqual([
      'a skipped:claim-unavailable 00:01:00',
      'a skipped:claim-unavailable 00:02:00',
      'a skipped:claim-unavailable 00:03:00',
    ])
    expect(h.log.filter((line) => line.startsWith('b succeeded'))).toHaveLength(3)
    expect(errors(h)).toHaveLength(1)
    expect(h.scheduler.health().degraded).toHaveLength(1)
  })
})

test('a claim that is granted when nobody waits for it any more is given back', async () => {
  const gate = deferred<Claim>()
  const ends: string[] = []
  const h = withLock({ claim: () => gate.promise })
  h.scheduler.job('a', '0 * * * * *', () => {})
  await h.scheduler.start()
  await h.clock.advance('91s')
  expect(h.log).toEqual(['a skipped:claim-unavailable 00:01:00'])
  gate.resolve(granted({ complete: async (outcome: string) => void ends.push(outcome) }))
  await h.clock.settle()
  expect(ends).toEqual(['skipped'])
})

test('a lock that is not available and has no trouble() is reported once, and when it is over', async () => {
  let down = true
  const refusal: Refusal = {
    granted: false,
    reason: 'claim-unavailable',
    error: new Error('connect ECONNREFUSED 127.0.0.1:6379'),
  }
  const h = withLock({ claim: () => (down ? refusal : granted()) })
  h.scheduler.job('a', every('1s'), () => {})
  await h.scheduler.start()
  await h.clock.advance('10s')
  expect(errors(h)).toEqual([expect.stringContaining('lock fails: connect ECONNREFUSED 127.0.0.1:6379')])
  down = false
  await h.clock.advance('10s')
  expect(h.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
    'lock works again',
  ])
  expect(h.scheduler.health().degraded).toEqual([])
})

test.each([
  ['onLost() throws', { onLost: throws }, 'succeeded'],
  ['onLost() gives no undo', { onLost: () => undefined }, 'succeeded'],
  ['the undo of onLost() throws', { onLost: () => throws }, 'succeeded'],
  ['held() throws', { held: throws }, 'lease-lost'],
  ['held() gives a promise', { held: async () => true }, 'lease-lost'],
])('a claim whose %s harms no run', async (_, broken, outcome) => {
  const h = withLock({ claim: () => granted(broken) })
  h.scheduler.job('a', every('1s'), (run) => {
    if ('held' in broken) run.assertHeld()
  })
  await h.scheduler.start()
  await h.clock.advance('3s')
  expect(h.runs.map((run) => run.outcome)).toEqual([outcome, outcome, outcome])
})

test('a lease that is lost for any reason ends the run as lease-lost', async () => {
  const h = withLock({
    claim: () =>
      granted({
        onLost: (callback: (reason: unknown) => void) => {
          h.clock.setTimeout(() => callback('gone'), 100)
          return () => {}
        },
      }),
  })
  h.scheduler.job(
    'a',
    manual(),
    (run) => new Promise((_, no) => run.signal.addEventListener('abort', () => no(run.signal.reason))),
  )
  await h.scheduler.start()
  void h.scheduler.run('a')
  await h.clock.advance('1s')
  expect(h.log[0]).toMatch('a lease-lost')
})

describe('exclusive() of a lock', () => {
  type Work = (signal: AbortSignal) => Promise<unknown>
  const signal = new AbortController().signal

  test.each<[string, (name: string, work: Work) => Promise<unknown>]>([
    ['rejects at its end', async (_, work) => work(signal).then(fails)],
    ['never settles', async (_, work) => work(signal).then(never)],
    ['rejects before its end', (_, work) => Promise.race([work(signal).then(never), fails()])],
    ['gives another value', async (_, work) => work(signal).then(() => 'other')],
  ])('that %s: what the function returned counts', async (how, exclusive) => {
    const h = withLock({ exclusive })
    const seen: unknown[] = []
    h.scheduler
      .exclusive('x', async () => 'mine')
      .then(
        (value) => seen.push(value),
        (error) => seen.push(String(error)),
      )
    await h.clock.advance('6s')
    expect(seen).toEqual(['mine'])
    expect(errors(h)).toHaveLength(how === 'gives another value' ? 0 : 1)
  })

  test('what the function throws counts', async () => {
    const h = withLock({ exclusive: async (_: string, work: Work) => work(signal).catch(() => 'swallowed') })
    await expect(h.scheduler.exclusive('x', () => fails())).rejects.toThrow('database is locked')
  })

  test.each([
    ['throws', throws, 'database is locked'],
    ['rejects', fails, 'database is locked'],
    ['does not call the function', async () => 'done', 'must call its function'],
  ])('that %s without having called the function rejects', async (_, exclusive, message) => {
    const h = withLock({ exclusive })
    await expect(h.scheduler.exclusive('x', () => 'mine')).rejects.toThrow(message)
  })
})

test.each<[string, () => unknown]>([
  ['NaN', () => NaN],
  ['text', () => '100'],
  ['a promise', async () => 100],
  ['a promise that rejects', fails],
  ['Infinity', () => Infinity],
  ['a negative number', () => -5],
  ['a huge number', () => 1e12],
  ['nothing', () => undefined],
  ['a throw', throws],
])('a claimDelay() that gives %s counts as 0 and is reported once', async (_, claimDelay) => {
  const h = withLock({ claimDelay })
  h.scheduler.job('a', every('1s'), (run: Run) => run.late)
  await h.scheduler.start()
  await h.clock.advance('20s')
  expect(h.log).toHaveLength(20)
  expect(h.runs.every(({ late }) => late === 0)).toBe(true)
  expect(errors(h)).toEqual([
    expect.stringMatching(/^lock\.claimDelay fails: .*: ticks are not left to other instances$/),
  ])
})
