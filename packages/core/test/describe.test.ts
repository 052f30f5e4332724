import { checkKeys, cut, describe as describeThrown, printable, redact, show } from '@escapement/core/plugin'
import { describe, expect, test } from 'vitest'

const hostile: [string, () => unknown][] = [
  [
    'a circle',
    () =>
      Object.assign(
        {},
        {
          get self() {
            return hostile
          },
        },
      ),
  ],
  ['a BigInt in an object', () => ({ n: 1n })],
  [
    'a toJSON that throws',
    () => ({
      toJSON() {
        throw new Error('no')
      },
    }),
  ],
  [
    'a getter that throws',
    () => ({
      get message() {
        throw new Error('no')
      },
    }),
  ],
  [
    'an error whose message throws',
    () =>
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('no')
        },
      }),
  ],
  ['an error whose message is an object', () => Object.assign(new Error('x'), { message: { a: 1 } })],
  [
    'an error whose cause is itself',
    () => {
      const error = new Error('x')
      error.cause = error
      return error
    },
  ],
  [
    'a Proxy that refuses everything',
    () =>
      new Proxy(
        {},
        new Proxy(
          {},
          {
            get() {
              throw new Error('no')
            },
          },
        ),
      ),
  ],
  [
    'a Proxy of an error that refuses everything',
    () =>
      new Proxy(
        new Error('x'),
        new Proxy(
          {},
          {
            get() {
              throw new Error('no')
            },
          },
        ),
      ),
  ],
  [
    'a revoked Proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    },
  ],
  ['a null object', () => Object.create(null)],
  ['a symbol', () => Symbol('s')],
  ['a function', () => () => {}],
  ['undefined', () => undefined],
  ['null', () => null],
  ['100 MB of text', () => 'x'.repeat(100_000_000)],
  ['an error with 10 MB of text', () => new Error('\u001b'.repeat(10_000_000))],
  [
    'an object whose inspect throws',
    () => ({
      [Symbol.for('nodejs.util.inspect.custom')]() {
        throw new Error('no')
      },
    }),
  ],
  ['an aggregate of aggregates', () => new AggregateError([new AggregateError([new Error('deep')])])],
  ['errors that are no array', () => Object.assign(new Error('x'), { errors: 5 })],
]

describe('describe', () => {
  test.each(hostile)('%s is described without a throw, in bounds', (_, make) => {
    const known = describeThrown(make())
    expect(JSON.parse(JSON.stringify(known))).toMatchObject({
      name: expect.any(String),
      message: expect.any(String),
    })
    expect(known.message.length).toBeLessThan(2_100)
    expect((known.stack ?? '').length).toBeLessThan(8_300)
    expect(show(make()).length).toBeLessThan(600)
  })

  test('an error keeps its name, message, code, stack and causes', () => {
    const error = Object.assign(new TypeError('bad', { cause: new Error('worse') }), { code: 'E_BAD' })
    expect(describeThrown(error)).toMatchObject({
      name: 'TypeError',
      message: 'bad',
      code: 'E_BAD',
      stack: expect.stringContaining('describe.test.ts'),
      causes: [{ message: 'worse' }],
    })
  })

  test('an AggregateError without a message shows those of its errors', () => {
    const error = new AggregateError([new Error('connect ::1:5432'), new Error('connect 127.0.0.1:5432')])
    expect(describeThrown(error).message).toBe('connect ::1:5432; connect 127.0.0.1:5432')
  })

  test('what is no error is shown', () => {
    expect(describeThrown('plain').message).toBe('plain')
    expect(describeThrown({ status: 404 }).message).toBe('{ status: 404 }')
    expect(describeThrown(undefined).message).toBe('undefined')
  })
})

test.each([
  ['a\nb', 'a\\nb'],
  ['\u001b[31mred', '\\u001b[31mred'],
  ['\u009b31m', '\\u009b31m'],
  ['user\u202egnp.exe', 'user\\u202egnp.exe'],
  ['half \ud800 pair', 'half \\ud800 pair'],
  ['whole \u{1f600} pair, 中文', 'whole \u{1f600} pair, 中文'],
])('printable(%j)', (text, expected) => {
  expect(printable(text)).toBe(expected)
  expect(printable(expected)).toBe(expected)
})

test.each([
  ['redis://:s3cret@host:6379/0', 'redis://:***@host:6379/0'],
  ['connect to postgres://app:p@ss:w@rd@db/x failed', 'connect to postgres://app:***@db/x failed'],
  ['redis://host?password=s3cret&db=1', 'redis://host?password=***&db=1'],
  ['https://hooks.example/x?access_token=abc#f', 'https://hooks.example/x?access_token=***#f'],
  ['GET http://localhost:3000/@me', 'GET http://localhost:3000/@me'],
  ['at file:///app/x.js:1:2 mail a@b.c', 'at file:///app/x.js:1:2 mail a@b.c'],
])('redact(%j)', (text, expected) => expect(redact(text)).toBe(expected))

test('show leaves out the path of an address, which may be a key', () => {
  expect(show('https://hooks.example/services/T0/S3CRET')).toBe('"https://hooks.example/…"')
})

test('cut never leaves half of a pair', () => {
  expect(cut('ab\u{1f600}cd', 3)).toBe('ab… (4 more characters)')
  expect(cut('abc', 3)).toBe('abc')
})

test.each([
  [{ tz: 'UTC' }, /did you mean timezone/],
  [{ timezon: 'UTC' }, /did you mean timezone/],
  [{ toString: 1 }, /expected one of timezone, retry/],
  [{ colour: 1 }, /expected one of timezone, retry/],
  ['text', /sample options must be an object/],
  [null, /sample options must be an object, but is null/],
  [[], /an array of 0/],
])('checkKeys refuses %j', (given, message) => {
  expect(() => checkKeys(given, { timezone: 1, retry: 1 }, 'sample option')).toThrow(message)
})
