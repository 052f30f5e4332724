import { createScheduler, type Run } from '@escapement/core'
import { liveRun } from '@escapement/testing'
import { describe, expect, test } from 'vitest'
import { cut, errorFact, errorFacts, errorType, runFacts } from '../src/incident/serialize.ts'
import { oneLine, plain } from '../src/util/plain-text.ts'
import { bytes, cutBytes, joinWithin } from '../src/util/utf8.ts'

async function failed(error: unknown, more: Partial<Run> = {}, retries = 0): Promise<Run> {
  const hook = {
    name: 'trace',
    hooks: {
      run: (run: Run, next: () => void | Promise<void>) => {
        Object.assign(run, more)
        return next()
      },
    },
  }
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const scheduler = createScheduler({ logger, plugins: [hook] })
  const retry = { retries, delay: 1, backoff: 'fixed' } as const
  scheduler.job('report', '0 0 1 1 *', { retry }, () => {
    throw error
  })
  await scheduler.start()
  const run = await liveRun(scheduler, 'report', { event: 'settled' })
  await scheduler.stop()
  return run
}

describe('the trace', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const link = (id: string) => `https://jaeger.example/trace/${id}`

  test.each([
    ['sampled', `00-${traceId}-00f067aa0ba902b7-01`, true],
    ['not sampled', `00-${traceId}-00f067aa0ba902b7-00`, false],
    ['sampled, and random by W3C level 2', `00-${traceId}-00f067aa0ba902b7-03`, true],
    ['without context', undefined, true],
  ])('%s', async (_, traceparent, linked) => {
    const facts = runFacts(await failed(new Error('x'), { traceId, traceparent }), link)
    expect(facts).toMatchObject({ traceId, traceUrl: linked ? link(traceId) : undefined })
  })

  test.each([
    ['is the link that a tracing plugin gave the run', undefined, '01', 'https://tempo.example/x'],
    ["is the option's, where there is one", link, '01', link(traceId)],
    ["is none, where the option's says so", () => undefined, '01', undefined],
    ['is none when the trace was not sampled', undefined, '00', undefined],
  ])('%s', async (_, traceUrl, flags, expected) => {
    const traceparent = `00-${traceId}-00f067aa0ba902b7-${flags}`
    const run = await failed(new Error('x'), { traceId, traceparent, traceUrl: 'https://tempo.example/x' })
    expect(runFacts(run, traceUrl).traceUrl).toBe(expected)
  })

  test('a traceUrl that throws gives no link', async () => {
    const run = await failed(new Error('x'), { traceId })
    expect(runFacts(run, () => expect.fail('bug')).traceUrl).toBeUndefined()
    expect(runFacts(run).traceUrl).toBeUndefined()
  })
})

describe('errors', () => {
  test('the first and the newest of many attempts', async () => {
    const facts = errorFacts(await failed(new Error('x'), {}, 30))
    expect(facts.map(({ attempt }) => attempt)).toEqual([1, 23, 24, 25, 26, 27, 28, 29, 30, 31])
  })

  test('are cut', () => {
    const error = Object.assign(new Error('m'.repeat(10_000), { cause: new Error('c'.repeat(10_000)) }), {
      stack: 's'.repeat(50_000),
      name: 'N'.repeat(1000),
      code: 'C'.repeat(1000),
    })
    const { name, code, message, stack, causes } = errorFact(error)
    expect([name, code, message, stack, causes[0]].map((part) => part?.length)).toEqual([
      100, 100, 2000, 6000, 500,
    ])
  })

  const circular: { cause?: unknown; message: string } = { message: 'around' }
  circular.cause = circular
  const hostile = {
    get message() {
      throw new Error('no')
    },
    get cause() {
      throw new Error('no')
    },
    toString() {
      throw new Error('no')
    },
    toJSON() {
      throw new Error('no')
    },
  }
  test.each([
    ['text', 'text', 'text'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a plain object', { a: 1 }, '{ a: 1 }'],
    ['a circle of causes', circular, 'around'],
    [
      'one that resists',
      hostile,
      '{ message: [Getter], cause: [Getter], toString: [Function: toString], toJSON: [Function: toJSON] }',
    ],
    [
      'a revoked proxy',
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        return proxy
      })(),
      '<Revoked Proxy>',
    ],
  ])('%s can be thrown', (_, thrown, message) => {
    expect(errorFact(thrown).message).toBe(message)
    expect(errorFact(thrown).causes.length).toBeLessThanOrEqual(5)
  })

  test('are of one type by name and code', () => {
    expect(errorType(errorFact(new TypeError('a')))).toBe(errorType(errorFact(new TypeError('b'))))
    expect(errorType(errorFact(Object.assign(new Error('a'), { code: 'E1' })))).toBe('Error E1')
    expect(errorType(undefined)).toBe('')
  })
})

describe('cutting', () => {
  test('by characters leaves no half of a pair', () => {
    expect(cut('ab🙂cd', 4)).toBe('ab…')
    expect(cut('abcd', 4)).toBe('abcd')
  })

  test.each([
    ['plain', 3],
    ['plain', 4],
    ['plain', 5],
    ['中文字符', 11],
    ['中文字符', 12],
    ['🙂🙂🙂', 10],
    ['a🙂b🙂c', 8],
    ['', 0],
  ])('%s to %d bytes', (text, most) => {
    const short = cutBytes(text, most)
    expect(bytes(short)).toBeLessThanOrEqual(most)
    expect(!/[\ud800-\udbff](?![\udc00-\udfff])/.test(short)).toBe(true)
    if (bytes(text) <= most) expect(short).toBe(text)
    else expect(text.startsWith(short.replace('…', ''))).toBe(true)
  })

  const more = (left: number) => `+${left}`
  test.each([
    [['aaaa', 'bbbb', 'cccc'], 100, 'aaaa bbbb cccc'],
    [['aaaa', 'bbbb', 'cccc'], 14, 'aaaa bbbb cccc'],
    [['aaaa', 'bbbb', 'cccc'], 13, 'aaaa bbbb +1'],
    [['aaaa', 'bbbb', 'cccc'], 11, 'aaaa +2'],
    [['aaaa', 'bbbb', 'cccc'], 7, 'aaaa +2'],
    [['aaaaaaaaaa', 'b'], 8, 'aa… +1'],
    [['aaaaaaaaaa'], 8, 'aaaaa…'],
    [[], 8, ''],
  ])('joins %j within %d', (parts, most, expected) => {
    expect(joinWithin(parts, most, { glue: ' ', more })).toBe(expected)
  })

  test('plain() and oneLine()', () => {
    expect(plain('a\r\nb\rc\u0007\u2028', 100)).toBe('a\nb\nc\u2028')
    expect(oneLine('  a \n\n b\tc  ', 100)).toBe('a b c')
    expect(oneLine('🙂'.repeat(10), 5)).toBe('🙂🙂…')
  })
})
