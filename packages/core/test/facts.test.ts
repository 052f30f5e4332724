import { createScheduler, every, manual, memoryStore, type Run, type Store } from '@escapement/core'
import { describe } from '@escapement/core/plugin'
import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

function scheduler(options: Parameters<typeof createScheduler>[0] = {}) {
  return createScheduler({ timezone: 'UTC', logger, ...options })
}

async function recordOf(
  handler: (run: Run) => unknown,
  { data, options = {}, job = {} }: { data?: unknown; options?: object; job?: object } = {},
) {
  const one = scheduler(options)
  one.job('a', manual(), job, handler)
  await one.run('a', data, { wait: true, by: 'ann', reason: 'to see' }).catch(() => {})
  const [record] = await one.history()
  if (!record) throw new Error('there is no record')
  return { record, lines: await one.logs(record.id) }
}

test('the history keeps what a run was asked with, what it returned and said, and who asked', async () => {
  const { record, lines } = await recordOf(
    (run) => {
      run.progress(0.5, 'half')
      run.log.info({ rows: 3 }, 'read')
      run.log.warn('slow')
      run.log.error(new Error('one row is odd'))
      return { sent: 2 }
    },
    { data: { to: 'may' } },
  )
  expect(record).toMatchObject({
    data: { to: 'may' },
    result: { sent: 2 },
    progress: { fraction: 0.5, note: 'half', at: expect.any(Date) },
    asked: { by: 'ann', reason: 'to see' },
    logLines: 3,
    cut: undefined,
    duration: expect.any(Number),
    late: expect.any(Number),
  })
  expect(lines).toEqual([
    { at: expect.any(Date), level: 'info', message: 'read', fields: { rows: 3 } },
    { at: expect.any(Date), level: 'warn', message: 'slow' },
    {
      at: expect.any(Date),
      level: 'error',
      message: 'one row is odd',
      fields: { error: { name: 'Error', message: 'one row is odd' } },
    },
  ])
})

test('a run of which nothing is to be said has none of it', async () => {
  const one = scheduler()
  one.job('a', manual(), () => {})
  await one.run('a', undefined, { wait: true })
  expect((await one.history())[0]).toMatchObject({
    data: undefined,
    result: undefined,
    progress: undefined,
    asked: undefined,
    parent: undefined,
    logLines: 0,
    cut: undefined,
  })
})

test('a run that follows another names it', async () => {
  const { after } = await import('@escapement/core')
  const one = scheduler()
  one.job('first', manual(), () => 1)
  one.job('second', after('first'), () => {})
  await one.start()
  const first = await one.run('first', undefined, { wait: true })
  await expect.poll(async () => (await one.history({ job: 'second' }))[0]?.parent).toBe(first.id)
  await one.stop()
})

test('what is too large is left out, and the record says so', async () => {
  const { record, lines } = await recordOf(
    (run) => {
      for (let i = 0; i < 520; i++) run.log.info(`line ${i}`)
      return 'x'.repeat(17_000)
    },
    { data: 'y'.repeat(20_000) },
  )
  expect(record).toMatchObject({ data: undefined, result: undefined, logLines: 500 })
  expect(record.cut).toEqual({
    data: 'it is larger than 16 kB',
    result: 'it is larger than 16 kB',
    log: '20 more lines were left out',
  })
  expect(lines).toHaveLength(500)
})

test('64 kB of lines are kept', async () => {
  const { record, lines } = await recordOf((run) => {
    for (let i = 0; i < 100; i++) run.log.info({ text: 'z'.repeat(2000) }, 'long')
  })
  expect(JSON.stringify(lines).length).toBeLessThan(80_000)
  expect(lines.length).toBeGreaterThan(25)
  expect(record.cut?.log).toBe(`${100 - lines.length} more lines were left out`)
})

test.each<[string, unknown, unknown]>([
  [
    'a getter that throws',
    {
      get a() {
        throw new Error('no')
      },
    },
    undefined,
  ],
  [
    'toJSON that throws',
    {
      toJSON() {
        throw new Error('no')
      },
    },
    undefined,
  ],
  ['a bigint', { n: 12n }, { n: '12' }],
  ['a date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
  ['bytes', { body: Buffer.alloc(50_000_000) }, { body: '(50000000 bytes)' }],
  ['a map', new Map([['a', 1]]), [['a', 1]]],
  ['functions and symbols', { f() {}, s: Symbol('s'), list: [() => {}] }, { list: [null] }],
  ['no number', [NaN, Infinity], [null, null]],
  ['an error', new TypeError('odd'), { name: 'TypeError', message: 'odd' }],
  ['__proto__', JSON.parse('{"__proto__": 1, "a": 2}'), JSON.parse('{"__proto__": 1, "a": 2}')],
])('%s as a result harms nothing', async (_, value, kept) => {
  const { record } = await recordOf(() => value)
  expect(record.state).toBe('succeeded')
  expect(JSON.stringify(record.result)).toBe(JSON.stringify(kept))
})

test('a circle and an endless depth end', async () => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  expect((await recordOf(() => circle)).record.result).toEqual({ self: '(circular)' })
  class Endless {
    get deeper() {
      return new Proxy({ a: 1 }, { get: () => new Proxy({ a: 1 }, this.#same) })
    }
    readonly #same: ProxyHandler<object> = { get: () => new Proxy({ a: 1 }, this.#same) }
  }
  expect((await recordOf(() => new Endless().deeper)).record.state).toBe('succeeded')
  const linked = Array.from({ length: 30 }).reduce<object>((next) => ({ next }), {})
  expect(JSON.stringify((await recordOf(() => linked)).record.result)).toContain('"(too deep)"')
  const sparse = new Array(1e9)
  expect((await recordOf(() => sparse)).record.cut).toEqual({ result: 'it is larger than 16 kB' })
})

test('keep leaves out what a job does not want to be kept', async () => {
  const { record, lines } = await recordOf(
    (run) => {
      run.log.info('secret')
      return 'secret'
    },
    { data: 'secret', job: { keep: { data: false, result: false, logs: false } } },
  )
  expect(JSON.stringify({ record, lines })).not.toContain('secret')
  expect(() => scheduler().job('a', manual(), { keep: { log: false } as object }, () => {})).toThrow(
    'there is no keep option "log": did you mean logs?',
  )
  expect(() => scheduler().job('a', manual(), { keep: { logs: 1 } as never }, () => {})).toThrow(
    'keep.logs must be true or false, but is 1',
  )
})

test('redact sees each text that is kept', async () => {
  const redact = (text: string) => text.replaceAll(/\d{4}-\d{4}/g, '****')
  const { record, lines } = await recordOf(
    (run) => {
      run.progress(0.1, 'card 1111-2222')
      run.log.info({ card: '1111-2222' }, 'card 1111-2222')
      throw new Error('card 1111-2222 was refused at https://me:pass@shop.example/?token=abc')
    },
    { data: { card: '1111-2222', list: ['1111-2222'] }, options: { redact } },
  )
  const text = JSON.stringify({ record, lines })
  expect(text).toContain('****')
  expect(text).not.toMatch(/1111|pass@|token=abc/)
  for (const broken of [
    () => {
      throw new Error('no')
    },
    () => 7,
  ]) {
    const { record } = await recordOf(() => 'secret', { options: { redact: broken } })
    expect(record.result).toBe('(not kept: redact failed)')
  }
  expect(() => scheduler({ redact: 'x' as never })).toThrow('redact must be a function')
})

test('redact sees what was thrown, whoever describes it', async () => {
  const redact = (text: string) => text.replaceAll('secret', '…')
  const lines: unknown[] = []
  const all = (...line: unknown[]) => void lines.push(JSON.stringify(line))
  const seen = async (thrown: unknown) => {
    const one = scheduler({ redact, logger: { debug: all, info: all, warn: all, error: all } })
    one.job('a', manual(), () => {
      throw thrown
    })
    const run = await one.run('a', undefined, { wait: true })
    return JSON.stringify([describe(run.error), await one.history(), lines])
  }
  const error = new Error('secret', { cause: new Error('secret cause') })
  describe(error)
  for (const thrown of [
    error,
    'secret text',
    { message: 'secret' },
    new AggregateError([new Error('secret')]),
  ]) {
    expect(await seen(thrown)).not.toContain('secret')
  }
})

test('what a run says is given to the store while it runs, at most once a second', async () => {
  const clock = new VirtualClock()
  const written: [number, number][] = []
  const store: Store = {
    ...memoryStore(),
    update: (run) => void written.push([clock.now(), run.logLines.length]),
  }
  const one = scheduler({ clock, plugins: [{ name: 'store', store }] })
  one.job('a', every('1h'), async (run) => {
    for (let i = 0; i < 48; i++) {
      run.log.info(`${i}`)
      await new Promise<void>((resolve) => clock.setTimeout(() => resolve(), 100))
    }
  })
  await one.start()
  await clock.advance('1h')
  const begun = clock.now()
  await clock.advance('10s')
  expect(written.map(([at, lines]) => [at - begun, lines])).toEqual([
    [1000, 10],
    [2000, 20],
    [3000, 30],
    [4000, 40],
  ])
  await one.stop()
})
