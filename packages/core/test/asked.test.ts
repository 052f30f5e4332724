import {
  type Claim,
  every,
  type Lock,
  manual,
  memoryStore,
  type Refusal,
  type RunRecord,
  type RunRequest,
  type Store,
  toRecord,
} from '@escapement/core'
import { fakeRun, type VirtualClock } from '@escapement/testing'
import { describe, expect, test } from 'vitest'
import { deferred, harness } from './harness.ts'

const NOT_RUN = { code: 'ERR_ESCAPEMENT_NOT_RUN', status: 409 }
const STOPPED = { code: 'ERR_ESCAPEMENT_STOPPED', status: 503 }
const FULL = { code: 'ERR_ESCAPEMENT_QUEUE_FULL', status: 429 }

function sleep(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms))
}

const GRANTED: Claim = {
  granted: true,
  held: () => true,
  onLost: () => () => {},
  complete: async () => {},
  release: async () => {},
}

describe('a request waits for its turn', () => {
  test.each(['skip', 'queue', 'cancel-previous'] as const)(
    'while another run is under way, whatever overlap says: %s',
    async (overlap) => {
      const { clock, scheduler, runs } = harness()
      const gate = deferred()
      scheduler.job('notices', manual(), { overlap }, () => gate.promise)
      const asked = []
      for (let to = 0; to < 5; to++) asked.push(await scheduler.run('notices', { to }))
      await clock.settle()
      expect(scheduler.get('notices').running).toBe(1)
      gate.resolve()
      await clock.advance('1s')
      // Each is run, in the order of the requests.
      expect(runs.map(({ data, outcome }) => [data, outcome])).toEqual(
        [0, 1, 2, 3, 4].map((to) => [{ to }, 'succeeded']),
      )
      const records = await Promise.all(asked.map(({ settled }) => settled))
      expect(records.map(({ id, outcome }) => [id, outcome])).toEqual(
        asked.map(({ id }) => [id, 'succeeded']),
      )
    },
  )

  test('and a tick that waits for its turn goes before it', async () => {
    const { clock, scheduler, runs } = harness()
    scheduler.job('a', every('10s'), { overlap: 'queue' }, () => sleep(clock, 6_000))
    await scheduler.start()
    await clock.advance('10s')
    await clock.advance('5s')
    for (let i = 0; i < 3; i++) await scheduler.run('a')
    await clock.advance('40s')
    // The fourth tick is due at the instant at which the third one's run ends.
    const expected = ['schedule', 'manual', 'schedule', 'manual', 'schedule', 'schedule', 'manual']
    expect(runs.map(({ cause }) => cause)).toEqual(expected)
  })

  test('while another instance runs the job, and while the lock is not available', async () => {
    let reason: Refusal['reason'] | undefined = 'overlap'
    let asked = 0
    const lock: Lock = {
      claim: async () => {
        asked++
        return reason ? { granted: false, reason } : GRANTED
      },
    }
    const { clock, scheduler, log, runs } = harness({ plugins: [{ name: 'lock', lock }] })
    scheduler.job('a', manual(), () => 'done')
    await scheduler.start()
    const { settled } = await scheduler.run('a', 'given')
    await clock.advance('10s')
    for (reason of ['claim-unavailable', 'claimed-elsewhere'] as const) await clock.advance('10s')
    expect(log).toEqual([])
    expect(scheduler.health().inFlight).toBe(0)
    expect(asked).toBeGreaterThan(30)
    expect(asked).toBeLessThan(90)
    reason = undefined
    await clock.advance('1s')
    expect(await settled).toMatchObject({ outcome: 'succeeded', result: 'done', data: 'given' })
    expect(runs).toHaveLength(1)
  })

  test('in the concurrency of the scheduler', async () => {
    const { clock, scheduler } = harness({ concurrency: 1, drain: { grace: '1s', abort: '1s' } })
    scheduler.job('a', manual(), () => new Promise(() => {}))
    scheduler.job('b', manual(), () => {})
    await scheduler.start()
    await scheduler.run('a')
    const accepted = [await scheduler.run('b'), await scheduler.run('b')]
    const waited = expect(scheduler.run('b', undefined, { wait: true })).rejects.toMatchObject(STOPPED)
    const stopped = scheduler.stop()
    await clock.advance('5s')
    await stopped
    await waited
    for (const { durable, settled } of accepted) {
      expect(durable).toBe(false)
      expect(await settled).toMatchObject({ outcome: 'skipped', reason: 'shutdown' })
    }
  })

  test('until it expires', async () => {
    const { clock, scheduler, log } = harness()
    scheduler.job('a', manual(), () => new Promise(() => {}))
    await scheduler.start()
    await scheduler.run('a')
    const { settled } = await scheduler.run('a', undefined, { expires: '10m' })
    const waited = expect(scheduler.run('a', 1, { expires: '11m', wait: true })).rejects.toMatchObject(
      NOT_RUN,
    )
    await clock.advance('9m')
    expect(log).toEqual([])
    await clock.advance('3m')
    expect(await settled).toMatchObject({ outcome: 'missed' })
    await waited
    expect(log.map((line) => line.slice(0, -9))).toEqual(['a missed', 'a missed'])
  })

  test('as many as maxQueued of a job', async () => {
    const { clock, scheduler, runs } = harness()
    const gate = deferred()
    scheduler.job('a', manual(), { maxQueued: 3 }, () => gate.promise)
    scheduler.job('b', manual(), () => {})
    await scheduler.start()
    for (let i = 0; i < 4; i++) await scheduler.run('a')
    await expect(scheduler.run('a')).rejects.toMatchObject(FULL)
    await scheduler.run('b')
    gate.resolve()
    await clock.advance('1s')
    await scheduler.run('a')
    await clock.settle()
    expect(runs.map(({ job }) => job.name)).toEqual(['b', 'a', 'a', 'a', 'a', 'a'])
  })
})

test('a job that is registered later runs what was asked for, not what nobody can ask for', async () => {
  const { scheduler } = harness()
  await expect(scheduler.run('later')).rejects.toMatchObject({ status: 404 })
})

describe('a run can be asked for later', () => {
  test.each([
    ['at a Date', { at: new Date('2026-01-01T01:00:00Z') }],
    ['at a local time', { at: '2026-01-01 01:00' }],
    ['in a duration', { in: '1h' }],
  ])('%s', async (_, options) => {
    const { clock, scheduler, log } = harness()
    scheduler.job('a', manual(), () => {})
    await scheduler.start()
    await scheduler.run('a', undefined, options)
    await clock.advance('59m')
    expect(log).toEqual([])
    await clock.advance('1m')
    expect(log).toEqual(['a succeeded 01:00:00'])
    const [record] = await scheduler.history()
    expect(record?.startedAt).toEqual(new Date('2026-01-01T01:00:00Z'))
  })

  test.each<[string, object]>([
    ['both', { at: 1, in: '1h' }],
    ['no instant', { at: 'soon' }],
    ['a negative length', { in: -1 }],
    ['no key', { key: '' }],
    ['a key that is no text', { key: 7 }],
    ['a key without end', { key: 'x'.repeat(201) }],
    ['no time to wait', { expires: 0 }],
  ])('%s is refused', async (_, options) => {
    const { scheduler } = harness()
    scheduler.job('a', manual(), () => {})
    await expect(scheduler.run('a', undefined, options)).rejects.toMatchObject({
      code: expect.stringMatching(/OPTION|DURATION/),
    })
  })
})

test('the same key asks for one run', async () => {
  const { clock, scheduler, runs } = harness()
  scheduler.job('a', manual(), () => {})
  scheduler.job('b', manual(), () => {})
  await scheduler.start()
  const first = await scheduler.run('a', { n: 1 }, { key: 'k' })
  const [again, record] = await Promise.all([
    scheduler.run('a', { n: 1 }, { key: 'k' }),
    scheduler.run('a', { n: 1 }, { key: 'k', wait: true }),
  ])
  expect([again.id, record.id]).toEqual([first.id, first.id])
  expect(await again.settled).toMatchObject({ outcome: 'succeeded' })
  await expect(scheduler.run('a', { n: 2 }, { key: 'k' })).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_KEY_REUSED',
    status: 422,
  })
  expect((await scheduler.run('b', { n: 2 }, { key: 'k' })).id).not.toBe(first.id)
  await clock.advance('24h')
  expect((await scheduler.run('a', { n: 2 }, { key: 'k' })).id).not.toBe(first.id)
  expect(runs).toHaveLength(3)
})

test('the record of a run that the history has dropped is not waited for', async () => {
  const { scheduler } = harness({ plugins: [{ name: 'small', store: memoryStore({ limit: 1 }) }] })
  scheduler.job('a', manual(), () => {})
  await scheduler.run('a', undefined, { key: 'k', wait: true })
  await scheduler.run('a', undefined, { wait: true })
  const { settled } = await scheduler.run('a', undefined, { key: 'k' })
  await expect(settled).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_RUN_UNKNOWN' })
})

describe('with wait, a request for a run that was not begun rejects', () => {
  test('when a hook skips it', async () => {
    const { scheduler } = harness({ plugins: [{ name: 'no', hooks: { run: async () => {} } }] })
    scheduler.job('a', manual(), () => {})
    await expect(scheduler.run('a', undefined, { wait: true })).rejects.toMatchObject(NOT_RUN)
    expect(await (await scheduler.run('a')).settled).toMatchObject({ outcome: 'skipped', reason: 'hook' })
  })

  test('when its claim was lost before', async () => {
    const gate = deferred<Claim>()
    const { scheduler } = harness({ plugins: [{ name: 'lock', lock: { claim: () => gate.promise } }] })
    scheduler.job('a', manual(), () => {})
    const asked = scheduler.run('a', undefined, { wait: true })
    const onLost: Claim['onLost'] = (lost) => {
      lost(new Error('gone'))
      return () => {}
    }
    gate.resolve({ ...GRANTED, onLost })
    await expect(asked).rejects.toMatchObject(NOT_RUN)
  })
})

describe('a run can be cancelled by its id', () => {
  test('while it is under way', async () => {
    const { clock, scheduler } = harness()
    scheduler.job('a', manual(), { retry: 3 }, ({ signal }) => {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const { id, settled } = await scheduler.run('a')
    await scheduler.cancel(id, { by: 'ann', reason: 'wrong month' })
    await clock.settle()
    expect(await settled).toMatchObject({
      outcome: 'cancelled',
      attempt: 1,
      error: { code: 'ERR_ESCAPEMENT_CANCELLED', message: 'cancelled by ann: wrong month' },
    })
  })

  test('while it waits', async () => {
    const { clock, scheduler, log } = harness()
    const gate = deferred()
    scheduler.job('a', manual(), () => gate.promise)
    await scheduler.start()
    await scheduler.run('a')
    const { id, settled } = await scheduler.run('a')
    const later = await scheduler.run('a', undefined, { in: '1h' })
    await scheduler.cancel(id)
    await scheduler.cancel(later.id)
    expect(await settled).toMatchObject({ outcome: 'cancelled', attempt: 0, error: { message: 'cancelled' } })
    gate.resolve()
    await clock.advance('2h')
    expect(log.map((line) => line.slice(0, -9)).toSorted()).toEqual([
      'a cancelled',
      'a cancelled',
      'a succeeded',
    ])
  })

  test('or it is unknown', async () => {
    const { scheduler } = harness()
    scheduler.job('a', manual(), () => {})
    const { id } = await scheduler.run('a')
    for (const unknown of ['none', '']) {
      await expect(scheduler.cancel(unknown)).rejects.toMatchObject({
        code: 'ERR_ESCAPEMENT_RUN_UNKNOWN',
        status: 404,
      })
    }
    await expect(scheduler.cancel(undefined as never)).rejects.toMatchObject({
      code: 'ERR_ESCAPEMENT_OPTION',
    })
    await expect(scheduler.cancel(id)).rejects.toMatchObject({
      code: 'ERR_ESCAPEMENT_RUN_STATE',
      status: 409,
    })
    await expect(scheduler.cancel(id, { who: 'me' } as never)).rejects.toMatchObject({
      code: 'ERR_ESCAPEMENT_OPTION',
    })
  })
})

test('an accepted request is short as JSON, and says what it can promise', async () => {
  const { scheduler } = harness()
  scheduler.job('a', manual(), () => {})
  const accepted = await scheduler.run('a')
  expect(JSON.parse(JSON.stringify(accepted))).toEqual({ id: accepted.id, job: 'a', durable: false })
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
  // Node reports them at the end of a turn.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', listen)
  for (const other of others) process.on('unhandledRejection', other)
  expect(unhandled).toEqual(['ERR_ESCAPEMENT_JOB_UNKNOWN'])
})

/** A durable store whose requests other instances begin. */
function taken() {
  const memory = memoryStore()
  const waiting = new Set<string>()
  const records: RunRecord[] = []
  const store: Store = {
    ...memory,
    runs: (query) => records.filter(({ id }) => query?.key === id || query?.id === id),
    requests: {
      durable: true,
      accept({ id }) {
        waiting.add(id)
        return id
      },
      due: () => [],
      waiting: (ids) => ids.filter((id) => waiting.has(id)),
      withdraw: (id) => waiting.delete(id),
    },
  }
  const begin = (id: string, outcome?: 'succeeded') => {
    waiting.delete(id)
    const record = toRecord(fakeRun({ id, job: 'a', cause: 'manual', outcome }))
    records.splice(0, records.length, record)
  }
  return { plugin: { name: 'taken', store }, begin }
}

describe('a request that another instance begins', () => {
  test('is left to it: whoever waits gets its record, and none is found here as due', async () => {
    const { plugin, begin } = taken()
    const { clock, scheduler } = harness({ plugins: [plugin] })
    scheduler.job('a', manual(), () => {})
    await scheduler.start()
    const asked = await scheduler.run('a')
    await clock.advance('5s')
    expect((await scheduler.find(asked.id))?.state).toBe('due')
    begin(asked.id, 'succeeded')
    await clock.advance('2s')
    expect((await scheduler.find(asked.id))?.state).toBe('succeeded')
    expect((await asked.settled).outcome).toBe('succeeded')
  })

  test('is found as the store knows it, and not cancelled here', async () => {
    const { plugin, begin } = taken()
    const { scheduler } = harness({ plugins: [plugin] })
    scheduler.job('a', manual(), () => {})
    await scheduler.start()
    const { id } = await scheduler.run('a')
    begin(id, 'succeeded')
    // At once: before it is looked whether others have begun it.
    expect((await scheduler.find(id))?.state).toBe('succeeded')
    await expect(scheduler.cancel(id)).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_RUN_STATE' })
  })

  test('makes room for another one here', async () => {
    const { plugin, begin } = taken()
    const { clock, scheduler } = harness({ plugins: [plugin], maxQueued: 1 })
    scheduler.job('a', manual(), () => {})
    await scheduler.start()
    for (let i = 0; i < 3; i++) {
      const { id } = await scheduler.run('a')
      await expect(scheduler.run('a')).rejects.toMatchObject(FULL)
      begin(id, 'succeeded')
      await clock.advance('2s')
    }
  })

  test('also when its claim is refused here', async () => {
    const { plugin, begin } = taken()
    const lock: Lock = { claim: () => ({ granted: false, reason: 'claimed-elsewhere' }) }
    const { requests } = plugin.store
    if (!requests) throw new Error('it keeps requests')
    const asked: RunRequest[] = []
    const store: Store = {
      ...plugin.store,
      requests: {
        ...requests,
        accept(request, max) {
          asked.push(request)
          return requests.accept(request, max)
        },
        due: () => asked.splice(0),
      },
    }
    const { clock, scheduler } = harness({
      plugins: [
        { name: 'store', store },
        { name: 'lock', lock },
      ],
      maxQueued: 1,
    })
    scheduler.job('a', manual(), () => {})
    await scheduler.start()
    for (let i = 0; i < 3; i++) {
      const { id, settled } = await scheduler.run('a')
      begin(id, 'succeeded')
      await clock.advance('2s')
      expect((await settled).outcome).toBe('succeeded')
    }
  })
})

test('without a lock, of the instances that see a request in a durable store one runs it', async () => {
  const waiting = new Map<string, RunRequest>()
  const begun: string[] = []
  const store: Store = {
    ...memoryStore(),
    requests: {
      durable: true,
      accept(request) {
        waiting.set(request.id, request)
        return request.id
      },
      due: () => [...waiting.values()],
      waiting: (ids) => ids.filter((id) => waiting.has(id)),
      withdraw: async (id) => waiting.delete(id),
    },
  }
  const fleet = ['a', 'b', 'c'].map((instance) => {
    const one = harness({ plugins: [{ name: 'shared', store }], instance })
    one.scheduler.job('job', manual(), { overlap: 'allow' }, (run) => void begun.push(run.id))
    return one
  })
  for (const { scheduler } of fleet) await scheduler.start()
  const asked = []
  for (const { scheduler } of fleet) asked.push((await scheduler.run('job')).id)
  for (let round = 0; round < 5; round++) for (const { clock } of fleet) await clock.advance('1s')
  expect(begun.toSorted()).toEqual(asked.toSorted())
})
