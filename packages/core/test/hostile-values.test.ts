import { createScheduler, every, manual, type Plugin, type Store, toLogger } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { harness } from './harness.ts'

const circle: { self?: unknown } = {}
circle.self = circle
const bomb = () => {
  throw new Error('bomb')
}
const trapped = new Proxy(new Error('trapped'), {
  get: bomb,
  has: bomb,
  ownKeys: bomb,
  getPrototypeOf: bomb,
  getOwnPropertyDescriptor: bomb,
})
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

afterEach(() => void vi.restoreAllMocks())

/** What handlers, hooks, listeners and loggers can throw. */
const values: [string, () => unknown][] = [
  ['a circle', () => circle],
  ['a BigInt inside an object', () => ({ amount: 10n })],
  ['a toJSON that throws', () => ({ toJSON: bomb })],
  ['a getter that throws', () => Object.defineProperty({}, 'x', { enumerable: true, get: bomb })],
  [
    'an error whose getters throw',
    () =>
      Object.defineProperties(new Error(), {
        stack: { get: bomb },
        message: { get: bomb },
        cause: { get: bomb },
        code: { get: bomb },
      }),
  ],
  ['a Proxy whose traps throw', () => trapped],
  ['a revoked Proxy', revoked],
  ['an error with a revoked Proxy as errors', () => Object.assign(new Error('x'), { errors: revoked() })],
  ['a thenable that throws', () => new Proxy({}, { get: (_, key) => (key === 'then' ? bomb() : undefined) })],
  ['a text that cannot be made', () => ({ toString: bomb, [Symbol.toPrimitive]: bomb })],
  ['a null object', () => Object.create(null)],
  ['a symbol', () => Symbol('s')],
  ['undefined', () => undefined],
]

/** The loggers there are: the console, a JSON logger, one that throws, one that rejects. */
const loggers: [string, () => Parameters<typeof toLogger>[0]][] = [
  ['the console', () => ({ ...allOf(() => {}), table: () => {} })],
  ['a logger that makes JSON', () => allOf((fields) => void JSON.stringify(fields))],
  ['a logger that throws', () => allOf(bomb)],
  ['a logger that rejects', () => allOf(() => Promise.reject(circle))],
]

function consoleOf(lines: string[]): Parameters<typeof toLogger>[0] {
  const console = { ...allOf((line) => void lines.push(String(line))), table: () => {} }
  return console
}

function allOf(log: (...args: unknown[]) => unknown) {
  return { debug: log, info: log, warn: log, error: log }
}

describe.each(loggers)('with %s', (_, logger) => {
  test.each(values)('%s that is thrown ends in an outcome, an event and an answer', async (_, make) => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    const clock = new VirtualClock()
    const hook: Plugin = {
      name: 'hostile',
      hooks: {
        run: async (_run, next) => {
          await next()
        },
        attempt: (_run, next) => next(),
      },
    }
    const store: Store = { record: () => Promise.reject(make()), runs: () => [] }
    const scheduler = createScheduler({
      clock,
      timezone: 'UTC',
      logger: logger(),
      plugins: [hook, { name: 'store', store }],
    })
    const outcomes: (string | undefined)[] = []
    scheduler.on('settled', (run) => void outcomes.push(run.outcome))
    const unruly = () => {
      throw make()
    }
    scheduler.on('failed', unruly)
    scheduler.on('failed', () => Promise.reject(make()))
    scheduler.on('error', unruly)
    scheduler.job('throws', manual(), unruly)
    scheduler.job('rejects', manual(), () => Promise.reject(make()))
    scheduler.job('retries', manual(), { retry: { retries: 1, delay: '1s', retryIf: unruly } }, unruly)
    scheduler.job('logs', manual(), (run) => {
      run.log.error(make() as object)
      run.log.warn({ value: make(), error: make() }, 'odd')
      run.log.info(make() as object, make() as string)
    })
    await scheduler.start()
    for (const { name } of scheduler.jobs()) {
      const run = await scheduler.run(name, undefined, { wait: true })
      expect(run.outcome).toBe(name === 'logs' ? 'succeeded' : 'failed')
    }
    expect(outcomes).toEqual(['failed', 'failed', 'failed', 'succeeded'])
    expect(scheduler.jobs().map(({ running }) => running)).toEqual([0, 0, 0, 0])
    await clock.advance('1s')
    expect(told.mock.calls.length).toBeLessThanOrEqual(1)
    await scheduler.stop()
  })
})

test.each(values)('%s is kept in the history as text', async (_, make) => {
  const { scheduler } = harness()
  scheduler.job('a', manual(), () => Promise.reject(make()))
  await scheduler.run('a', undefined, { wait: true })
  const [record] = await scheduler.history()
  expect(JSON.parse(JSON.stringify(record?.errors[0]))).toMatchObject({
    name: expect.any(String),
    message: expect.any(String),
  })
})

test('what is reported cannot keep a run from its end', async () => {
  const { scheduler, runs } = harness({
    plugins: [
      {
        name: 'wrong',
        hooks: {
          run: (run, next) => {
            run.traceId = 'abc'
            run.traceparent = 5 as unknown as string
            run.traceUrl = Symbol('url') as unknown as string
            return next()
          },
        },
      },
    ],
  })
  const job = scheduler.job('a', every('1h'), () => 'done')
  const run = await job.run(undefined, { wait: true })
  expect(run.outcome).toBe('succeeded')
  expect(job.running).toBe(0)
  const again = await job.run(undefined, { wait: true })
  expect(again.outcome).toBe('succeeded')
  expect(runs).toHaveLength(2)
})

test('fields that a logger cannot write are written as text', () => {
  const lines: string[] = []
  const log = toLogger(allOf((fields, message) => void lines.push(`${JSON.stringify(fields)} ${message}`)))
  log.info({ rows: 3, circle, big: 10n }, 'copied')
  expect(lines).toEqual(['{"rows":3,"circle":"<ref *1> { self: [Circular *1] }","big":"10n"} copied'])
})

test('a logger that fails is reported once, on stderr', () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {})
  const log = toLogger(allOf(bomb))
  for (let i = 0; i < 3; i++) log.error({ i }, 'x')
  expect(told.mock.calls).toEqual([['escapement: the logger failed, and lines are lost: bomb']])
})

test('nothing in a line on a console breaks it, moves the cursor or goes on for ever', () => {
  const lines: string[] = []
  const log = toLogger(consoleOf(lines))
  const evil = '\r\n\u001b[2J\u009b31m\u202e\u2028'
  const error = new Error(`${evil}a failed outcome=succeeded`, { cause: new Error('the cause') })
  log.error({ [`key${evil}`]: `value${evil}`, list: [evil], error }, `message${evil}`)
  log.error({ text: 'x'.repeat(5_000_000), error: new Error('y'.repeat(5_000_000)) }, 'z'.repeat(5_000_000))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
  for (const line of lines) expect(line).not.toMatch(/[\r\u001b\u009b\u202e\u2028]|\n(?! {4}|Error: )/)
  expect(lines[0]).toContain('caused by: Error: the cause')
  expect(lines[1]?.length).toBeLessThan(40_000)
})

test('an AggregateError is shown with what it holds', () => {
  const lines: string[] = []
  const refused = [1, 2].map((i) => new Error(`connect ECONNREFUSED 127.0.0.1:${i}`))
  const error = new AggregateError(refused)
  toLogger(consoleOf(lines)).error({ error }, 'failed')
  expect(lines[0]).toContain('caused by: Error: connect ECONNREFUSED 127.0.0.1:2')
  const fields: object[] = []
  toLogger(allOf((given) => void fields.push(given as object))).error({ error }, 'failed')
  expect(fields[0]).toMatchObject({
    error: {
      type: 'AggregateError',
      message: 'connect ECONNREFUSED 127.0.0.1:1; connect ECONNREFUSED 127.0.0.1:2',
      causes: [
        { message: 'connect ECONNREFUSED 127.0.0.1:1' },
        { message: 'connect ECONNREFUSED 127.0.0.1:2' },
      ],
    },
  })
})
