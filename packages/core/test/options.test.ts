import { Readable } from 'node:stream'
import {
  createScheduler,
  EscapementError,
  type Handler,
  type Job,
  manual,
  memoryStore,
  type Run,
  type Scheduler,
} from '@escapement/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const plugin = { name: 'a' }
function redisLock() {
  return { name: 'redis-lock' }
}
const job = (given: object) => createScheduler().job('a', '* * * * *', given, () => {})

test.each<[string, () => unknown]>([
  ['a plugin that was not called', () => createScheduler({ plugins: [redisLock] as never })],
  ['two plugins of one name', () => createScheduler({ plugins: [plugin, { ...plugin }] })],
  ['a lock without claim()', () => createScheduler({ plugins: [{ name: 'a', lock: {} as never }] })],
  [
    'a hook that is no function',
    () => createScheduler({ plugins: [{ name: 'a', hooks: { run: 7 } as never }] }),
  ],
  ['a start that is no function', () => createScheduler({ plugins: [{ name: 'a', start: true as never }] })],
  [
    'an unknown default of a plugin',
    () => createScheduler({ plugins: [{ name: 'a', defaults: { rety: 1 } as never }] }),
  ],
  ['an unknown default', () => createScheduler({ defaults: { timout: '1s' } as never })],
  ['data as a default', () => createScheduler({ defaults: { data: 1 } as never })],
  ['a bad default', () => createScheduler({ defaults: { timeout: 'soon' } })],
  ['defaults that are no object', () => createScheduler({ defaults: 'x' as never })],
  ['a logger that is nothing', () => createScheduler({ logger: false as never })],
  ['a clock that lacks methods', () => createScheduler({ clock: { monotonic: () => 1 } as never })],
  ['an instance of no characters', () => createScheduler({ instance: '' })],
  ['an instance of two lines', () => createScheduler({ instance: 'a\nb' })],
  ['half a run at a time', () => createScheduler({ concurrency: 1.5 })],
  ['half a request', () => createScheduler({ maxQueued: 0.5 })],
  ['half a priority', () => job({ priority: 1.5 })],
  ['paused as text', () => job({ paused: 'yes' })],
  ['dst of a job', () => job({ dst: 'x' })],
  [
    'options behind the handler',
    () => createScheduler().job('a', '* * * * *', (() => {}) as never, { timeout: 1 } as never),
  ],
  ['a name with half a character', () => createScheduler().job('a\ud800', '* * * * *', () => {})],
  ['a name that turns its text round', () => createScheduler().job('a\u202eb', '* * * * *', () => {})],
  ['a store with a misspelt option', () => memoryStore({ limt: 5 } as never)],
  ['a store of half a run', () => memoryStore({ limit: 1.5 })],
  ['a misspelt event', () => createScheduler().on('setled' as never, () => {})],
  ['an event that is no text', () => createScheduler().on(7 as never, () => {})],
  ['a listener that is no function', () => createScheduler().on('settled', 'x' as never)],
  [
    'a pause with unknown options',
    () =>
      createScheduler()
        .job('a', manual(), () => {})
        .pause({ until: 1 } as never),
  ],
  [
    'a pause by a number',
    () =>
      createScheduler()
        .job('a', manual(), () => {})
        .pause({ by: 7 } as never),
  ],
  ['a start with unknown options', () => createScheduler().start({ keepalive: true } as never)],
  ['a start with an option of another type', () => createScheduler().start({ keepAlive: 'no' } as never)],
  ['a stop with unknown options', () => createScheduler().stop({ timeout: 1 } as never)],
  ['exclusive() with a signal that is none', () => createScheduler().exclusive('a', () => {}, 5 as never)],
])('%s is refused', (_, act) => {
  expect(act).toThrow(EscapementError)
})

test.each([
  { limt: 5 },
  { limit: 1.5 },
  { limit: '5' },
  { outcome: 'success' },
  { state: 'x' },
  { job: 7 },
  'x',
  null,
])('history(%j) is refused', async (query) => {
  await expect(createScheduler().history(query as never)).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_OPTION',
  })
})

test('events of plugins can be listened to', () => {
  expect(createScheduler().on('redis-down' as never, () => {})).toBeTypeOf('function')
})

test('group() with options that it does not know is refused', async () => {
  const { scheduler } = harness()
  scheduler.job('a', manual(), (run) => {
    expect(() => run.group({ concurrency: 3 } as never)).toThrow(EscapementError)
    expect(() => run.group({ limit: 1.5 })).toThrow(EscapementError)
  })
  expect((await scheduler.run('a', undefined, { wait: true })).outcome).toBe('succeeded')
})

describe('an unknown name', () => {
  test('is refused without the names of other jobs, in no time', async () => {
    const scheduler = createScheduler({ logger })
    for (let i = 0; i < 20_000; i++) scheduler.job(`customer-secret-${i}`, manual(), () => {})
    const begun = performance.now()
    for (let i = 0; i < 100; i++) {
      const refused = await scheduler.run(`customer-secret-x${i}`).catch((error) => error)
      expect(refused).toMatchObject({ code: 'ERR_ESCAPEMENT_JOB_UNKNOWN', status: 404 })
      expect(refused.message).toBe(
        `there is no job "customer-secret-x${i}" among the 20000 that are registered`,
      )
    }
    expect(performance.now() - begun).toBeLessThan(500)
  })
})

describe('a handler', () => {
  test.each<[string, Handler, string]>([
    ['a generator', function* () {} as never, 'write async (run) => { … }'],
    ['an asynchronous generator', async function* () {} as never, 'write async (run) => { … }'],
    [
      'a function that takes a callback',
      ((_job: Run, done: () => void) => done()) as never,
      'return a promise',
    ],
    ['an object', {} as never, 'a function'],
  ])('that is %s is refused, with what to write', (_, handler, message) => {
    const refused = () => createScheduler().job('a', manual(), handler)
    expect(refused).toThrow(expect.objectContaining({ code: 'ERR_ESCAPEMENT_HANDLER' }))
    expect(refused).toThrow(message)
  })

  const generator = function* () {}
  const returned: [string, () => unknown][] = [
    ['a stream', () => Readable.from(['a'])],
    ['a stream of the web', () => new ReadableStream()],
    ['a generator', () => generator()],
    ['an asynchronous generator', () => (async function* () {})()],
    ['a child process', () => ({ pid: 7, kill() {} })],
  ]
  test.each(returned)('that returns %s has failed, with what to write', async (_, make) => {
    const { scheduler } = harness()
    scheduler.job('bare', manual(), make)
    scheduler.job('later', manual(), async () => make())
    scheduler.job('limited', manual(), { timeout: '1m' }, make)
    scheduler.job('limited-later', manual(), { timeout: '1m' }, async () => make())
    for (const { name } of scheduler.jobs()) {
      const run = await scheduler.run(name, undefined, { wait: true })
      expect([name, run.outcome, (run.error as EscapementError).code]).toEqual([
        name,
        'failed',
        'ERR_ESCAPEMENT_HANDLER',
      ])
    }
  })

  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no')
      },
      has: () => {
        throw new Error('no')
      },
    },
  )
  test.each<[string, () => unknown]>([
    ['an array', () => [1]],
    ['a map', () => new Map()],
    ['null', () => null],
    ['a function', () => () => {}],
    ['an object that throws', async () => [throwing]],
  ])('that returns %s has succeeded', async (_, make) => {
    const { scheduler } = harness()
    scheduler.job('a', manual(), make)
    expect((await scheduler.run('a', undefined, { wait: true })).outcome).toBe('succeeded')
  })
})

test('whatever is given, what is thrown is coded', async () => {
  const acts: ((scheduler: Scheduler, given: never, more: never) => unknown)[] = [
    (_, given) => createScheduler(given),
    (_, given) => createScheduler({ plugins: given }),
    (_, given) => createScheduler({ plugins: [given] }),
    (_, given) => createScheduler({ plugins: [{ name: 'a', hooks: given }] }),
    (_, given) => createScheduler({ defaults: given }),
    (_, given) => createScheduler({ drain: given }),
    (_, given) => createScheduler({ concurrency: given }),
    (_, given) => createScheduler({ logger: given }),
    (_, given) => createScheduler({ clock: given }),
    (_, given) => createScheduler({ instance: given }),
    (_, given) => createScheduler({ defaults: { retry: given } }),
    (_, given) => memoryStore(given),
    (scheduler, given, more) => scheduler.job(given, '* * * * *', more, () => {}),
    (scheduler, given, more) => scheduler.job('b', '* * * * *', given, more),
    (scheduler, given) => scheduler.job('c', '* * * * *', { retry: given }, () => {}),
    (scheduler, given) => scheduler.job('d', '* * * * *', { schema: given }, () => {}),
    (scheduler, given) => scheduler.job('e', '* * * * *', { executor: given }, () => {}),
    (scheduler, given, more) => scheduler.run(given, more),
    (scheduler, given, more) => scheduler.run('a', given, more),
    (scheduler, given, more) => scheduler.on(given, more),
    (scheduler, given, more) => scheduler.pause(given, more),
    (scheduler, given) => scheduler.pause('a', given),
    (scheduler, given) => scheduler.resume('a', given),
    (scheduler, given) => scheduler.get(given),
    (scheduler, given) => scheduler.has(given),
    (scheduler, given) => scheduler.history(given),
    (scheduler, given) => scheduler.stop(given),
    (scheduler, given) => scheduler.exclusive(given, () => {}),
    (scheduler, given) => scheduler.exclusive('y', typeof given === 'function' ? () => {} : given),
    (scheduler, given) => scheduler.exclusive('x', () => {}, given),
  ]
  const garbage = fc.oneof(
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
    }),
    fc.constantFrom(
      Symbol('s'),
      () => {},
      class {},
      /x/,
      Promise.resolve(),
      new Error('e'),
      Object.create(null),
    ),
  )
  const scheduler = createScheduler({ logger })
  const a: Job = scheduler.job('a', manual(), { overlap: 'allow' }, () => {})
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...acts), garbage, garbage, async (act, given, more) => {
      try {
        const made = await act(scheduler, given as never, more as never)
        if (typeof made === 'object' && made && 'remove' in made && made !== a) (made as Job).remove()
      } catch (error) {
        if (!(error instanceof EscapementError))
          throw new Error(`not coded: ${String(error)}`, { cause: error })
      }
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 2000) },
  )
}, 300_000)

test.each(['clock-skew', 'fenced', 'tick-lost', 'instance-joined'])(
  'an event of a plugin is taken: %s',
  (event) => {
    expect(() => createScheduler().on(event as never, () => {})).not.toThrow()
  },
)
