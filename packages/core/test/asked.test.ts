import { type Claim, every, type Lock, manual, type Refusal } from '@escapement/core'
import { describe, expect, test } from 'vitest'
import { deferred, harness } from './harness.ts'

const NOT_RUN = { code: 'ERR_ESCAPEMENT_NOT_RUN', status: 409 }
const UNAVAILABLE = { code: 'ERR_ESCAPEMENT_UNAVAILABLE', status: 503 }
const STOPPED = { code: 'ERR_ESCAPEMENT_STOPPED', status: 503 }
const FULL = { code: 'ERR_ESCAPEMENT_QUEUE_FULL', status: 429 }

describe.each([
  ['without wait', undefined],
  ['with wait', { wait: true }],
])('a request for a run that was not begun rejects, %s', (_, options) => {
  test('while another run is under way', async () => {
    const { clock, scheduler, log } = harness()
    const gate = deferred()
    scheduler.job('notices', manual(), () => gate.promise)
    const first = await scheduler.run('notices')
    const others = [1, 2, 3].map((to) => scheduler.run('notices', { to }, options))
    for (const other of others) await expect(other).rejects.toMatchObject(NOT_RUN)
    gate.resolve()
    await clock.settle()
    expect(first.outcome).toBe('succeeded')
    // Each is on record.
    expect(log.map((line) => line.slice(0, -9))).toEqual([
      ...Array(3).fill('notices skipped:overlap'),
      'notices succeeded',
    ])
  })

  test('when one is under way and one waits already', async () => {
    const { clock, scheduler } = harness()
    const gate = deferred()
    scheduler.job('a', manual(), { overlap: 'queue' }, () => gate.promise)
    const accepted = [await scheduler.run('a'), await scheduler.run('a')]
    await expect(scheduler.run('a', undefined, options)).rejects.toMatchObject(NOT_RUN)
    gate.resolve()
    await clock.settle()
    expect(accepted.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded'])
  })

  test.each<[string, Refusal, object]>([
    [
      'the lock is not available',
      { granted: false, reason: 'claim-unavailable', error: new Error('down') },
      UNAVAILABLE,
    ],
    ['another instance runs it', { granted: false, reason: 'overlap' }, NOT_RUN],
  ])('when %s', async (_reason, refusal, expected) => {
    const lock: Lock = { claim: async () => refusal }
    const { scheduler } = harness({ plugins: [{ name: 'lock', lock }] })
    scheduler.job('a', manual(), () => {})
    await expect(scheduler.run('a', undefined, options)).rejects.toMatchObject(expected)
  })

  test('when a hook skips it', async () => {
    const { scheduler } = harness({ plugins: [{ name: 'no', hooks: { run: async () => {} } }] })
    scheduler.job('a', manual(), () => {})
    await expect(scheduler.run('a', undefined, options)).rejects.toMatchObject(NOT_RUN)
  })

  test('when it is cancelled before', async () => {
    const gate = deferred<Claim>()
    const { scheduler } = harness({ plugins: [{ name: 'lock', lock: { claim: () => gate.promise } }] })
    const job = scheduler.job('a', manual(), () => {})
    scheduler.on('skipped', () => {})
    const asked = job.run(undefined, options)
    gate.resolve({
      granted: true,
      held: () => true,
      onLost: (lost) => {
        lost(new Error('gone'))
        return () => {}
      },
      complete: async () => {},
      release: async () => {},
    })
    await expect(asked).rejects.toMatchObject(NOT_RUN)
  })
})

test('a request is answered when its run has begun, not before the lock has answered', async () => {
  const gate = deferred<Claim>()
  const { clock, scheduler } = harness({ plugins: [{ name: 'lock', lock: { claim: () => gate.promise } }] })
  scheduler.job('a', manual(), () => new Promise(() => {}))
  let answered = false
  void scheduler.run('a').then(() => {
    answered = true
  })
  await clock.settle()
  expect(answered).toBe(false)
  gate.resolve({
    granted: true,
    held: () => true,
    onLost: () => () => {},
    complete: async () => {},
    release: async () => {},
  })
  await clock.settle()
  expect(answered).toBe(true)
})

test('a request that waits for its turn is answered, and rejects with wait when its turn never comes', async () => {
  const { clock, scheduler } = harness({ concurrency: 1, drain: { grace: '1s', abort: '1s' } })
  scheduler.job('a', manual(), () => new Promise(() => {}))
  scheduler.job('b', manual(), () => {})
  await scheduler.start()
  await scheduler.run('a')
  const accepted = await scheduler.run('b')
  expect(accepted.state).toBe('due')
  const waited = expect(scheduler.run('b', undefined, { wait: true })).rejects.toMatchObject(NOT_RUN)
  const stopped = scheduler.stop()
  await clock.advance('5s')
  await stopped
  // Its job was taken by the one before.
  await waited
  expect(accepted).toMatchObject({ outcome: 'skipped', reason: 'shutdown' })
})

test('requests in the drain are refused with a status', async () => {
  const { clock, scheduler } = harness({ drain: { grace: '1s', abort: '1s' } })
  scheduler.job('a', manual(), () => new Promise<void>((resolve) => clock.setTimeout(resolve, 500)))
  await scheduler.start()
  await scheduler.run('a')
  const stopped = scheduler.stop()
  await expect(scheduler.run('a')).rejects.toMatchObject(STOPPED)
  await clock.advance('1s')
  await stopped
})

test('a schema that answers during the stop begins no run', async () => {
  const gate = deferred<{ value: unknown }>()
  const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: () => gate.promise } }
  const { scheduler, log } = harness()
  scheduler.job('a', manual(), { schema }, () => {})
  await scheduler.start()
  const asked = scheduler.run('a', 1)
  await scheduler.stop()
  gate.resolve({ value: 1 })
  await expect(asked).rejects.toMatchObject(STOPPED)
  expect(log).toEqual([])
})

describe('a flood of requests', () => {
  test('is bounded in number, says so once, and goes on when there is room', async () => {
    const { clock, scheduler, lines } = harness({ maxQueued: 100 })
    let gate = deferred()
    scheduler.job('a', manual(), { overlap: 'allow' }, () => gate.promise)
    const asked = await Promise.allSettled(Array.from({ length: 1000 }, () => scheduler.run('a')))
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(100)
    expect((asked.at(-1) as PromiseRejectedResult).reason).toMatchObject(FULL)
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    gate.resolve()
    await clock.settle()
    gate = deferred()
    await scheduler.run('a')
    expect(scheduler.health().inFlight).toBe(1)
  })

  test('is bounded in bytes', async () => {
    const { scheduler } = harness()
    scheduler.job('a', manual(), { overlap: 'allow' }, () => new Promise(() => {}))
    const data = 'x'.repeat(60_000)
    const asked = await Promise.allSettled(Array.from({ length: 1200 }, () => scheduler.run('a', data)))
    const taken = asked.filter(({ status }) => status === 'fulfilled').length
    expect(taken).toBe(Math.floor((64 * 1024 * 1024) / 60_000))
  })

  test('of ticks is no matter of it', async () => {
    const { clock, scheduler, log } = harness({ maxQueued: 1 })
    scheduler.job('a', every('1s'), () => {})
    await scheduler.start()
    await clock.advance('10s')
    expect(log).toHaveLength(10)
  })
})

test.each([
  ['text', 'x'.repeat(65_537)],
  ['text of two bytes a character', 'ü'.repeat(33_000)],
  ['an object', { list: Array.from({ length: 20_000 }, (_, i) => i) }],
  ['bytes', new Uint8Array(70_000)],
])('a request with %s of more than 64 kB is refused', async (_, data) => {
  const { scheduler, log } = harness()
  scheduler.job('a', manual(), () => {})
  await expect(scheduler.run('a', data)).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_DATA_TOO_LARGE',
    status: 413,
  })
  expect(log).toEqual([])
})

test.each([
  [
    'throws',
    () => {
      throw new TypeError('oops')
    },
  ],
  ['rejects', () => Promise.reject(new TypeError('oops'))],
  ['gives nothing', () => undefined],
  ['gives null, later', async () => null],
  ['gives issues that are none', () => ({ issues: 7 })],
])('a schema that %s is a coded refusal', async (_, validate) => {
  const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: validate as never } }
  const { scheduler } = harness()
  // It needs no data to be registered: no tick will ever ask for it.
  scheduler.job('a', manual(), { schema }, () => {})
  await expect(scheduler.run('a', 1)).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_DATA', status: 422 })
})

test('options given as data are refused with what to write', async () => {
  const { scheduler } = harness()
  const job = scheduler.job('a', manual(), ({ data }) => data)
  await expect(scheduler.run('a', { wait: true })).rejects.toThrow('run(undefined, { wait: true })')
  await expect(job.run({ wait: false })).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_OPTION' })
  await expect(job.run(1, { wait: 'yes' } as never)).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_OPTION' })
  await expect(job.run(1, { await: true } as never)).rejects.toThrow('did you mean wait?')
  expect((await job.run({ wait: true }, { wait: true })).result).toEqual({ wait: true })
})

test('a refusal that nobody handles does not end the process, a mistake does', async () => {
  const { scheduler } = harness()
  scheduler.job('a', manual(), () => new Promise(() => {}))
  await scheduler.run('a')
  const unhandled: unknown[] = []
  const listen = (error: unknown) => void unhandled.push((error as { code: string }).code)
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', listen)
  void scheduler.run('a')
  void scheduler.run('b')
  await new Promise((resolve) => setTimeout(resolve, 10))
  process.off('unhandledRejection', listen)
  for (const other of others) process.on('unhandledRejection', other)
  expect(unhandled).toEqual(['ERR_ESCAPEMENT_JOB_UNKNOWN'])
})
