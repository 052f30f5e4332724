/** What cannot be used is refused where it is given, by a coded error that says what to write. */
import {
  after,
  anyOf,
  at,
  between,
  calendar,
  createScheduler,
  cron,
  every,
  except,
  explain,
  limit,
  toTrigger,
  upcoming,
} from '@escapement/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EscapementError } from '../../src/errors.ts'

// biome-ignore lint/suspicious/noExplicitAny: what is given here is wrong on purpose
type Any = any

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(EscapementError)
    return `${(error as EscapementError).code.slice('ERR_ESCAPEMENT_'.length)} ${(error as Error).message}`
  }
  throw new Error('it was taken')
}

const daily = '0 9 * * *'
const from = new Date('2026-11-26T00:00:00Z')

describe('options that do not exist, with the one that was meant', () => {
  it.each<[string, (options: Any) => unknown]>([
    ['cron', (options) => cron(daily, options)],
    ['at', (options) => at('2026-12-24 09:00', options)],
    ['between', (options) => between(daily, '2026-12-01', undefined, options)],
    ['limit', (options) => limit(daily, 3, { from, ...options })],
    ['upcoming', (options) => upcoming(daily, options)],
    ['explain', (options) => explain(daily, from, options)],
    ['toTrigger', (options) => toTrigger(daily, options)],
    ['calendar', (options) => calendar({ daily: '09:00-10:00', ...options })],
  ])('%s: tz, timeZone', (name, make) => {
    for (const key of ['tz', 'timeZone', 'timezon', 'zone'])
      expect(refusal(() => make({ [key]: 'UTC' }))).toMatch(
        new RegExp(`^(OPTION|TRIGGER) .*"${key}".*did you mean timezone`),
      )
    expect(refusal(() => make({ timezone: 5 }))).toMatch(/^TIMEZONE /)
    expect(refusal(() => make({ timezone: null }))).toMatch(/^TIMEZONE /)
    if (name !== 'limit' && name !== 'calendar') {
      for (const options of [null, 'UTC', ['UTC'], 5])
        expect(refusal(() => make(options))).toMatch(/^OPTION .*must be an object/)
    }
  })

  it.each<[string, () => unknown, RegExp]>([
    ['every: offset', () => every('1h', { offset: '5m' } as Any), /no every\(\) option "offset"/],
    ['every: phase', () => every('1h', { phases: '5m' } as Any), /did you mean phase/],
    ['every: expression', () => every('1h', { expression: 5 } as Any), /^OPTION .*expression/],
    ['every: null', () => every('1h', null as Any), /^OPTION/],
    ['after: when', () => after('a', { when: 'failed' } as Any), /no after\(\) option "when"/],
    ['after: null', () => after('a', null as Any), /^OPTION/],
    ['after: on', () => after('a', { on: 'fails' as Any }), /^OPTION on must be/],
    ['limit: none', () => limit(daily, 3, undefined as Any), /^TRIGGER .*expected \{ from \}/],
    ['limit: start', () => limit(daily, 3, { startDate: from } as Any), /did you mean from/],
    ['cron: utc', () => cron(daily, { utc: true } as Any), /no cron\(\) option "utc"/],
    ['cron: dst', () => cron(daily, { dst: 'later' as Any }), /^OPTION dst/],
    ['cron: dst null', () => cron(daily, { dst: null as Any }), /^OPTION dst/],
    ['cron: seed', () => cron(daily, { seed: 5 as Any }), /^OPTION seed/],
    ['upcoming: from', () => upcoming(daily, { from: '2026' as Any }), /^OPTION from must be a valid Date/],
    [
      'upcoming: invalid from',
      () => upcoming(daily, { from: new Date('soon') }),
      /^OPTION from must be a valid Date/,
    ],
    ['upcoming: until', () => upcoming(daily, { until: 5 as Any }), /^OPTION until must be a valid Date/],
    ['upcoming: count', () => upcoming(daily, { count: 2.5 }), /^OPTION count must be a whole number/],
    ['upcoming: endless', () => upcoming(daily, { count: Infinity }), /^OPTION count must be a whole number/],
    ['upcoming: limit', () => upcoming(daily, { n: 5 } as Any), /no upcoming\(\) option "n"/],
    ['upcoming: end', () => upcoming(daily, { endDate: from } as Any), /did you mean until/],
    ['explain: at', () => explain(daily, '2026-11-26' as Any), /^OPTION at must be a valid Date/],
    ['explain: invalid', () => explain(daily, new Date(Number.NaN)), /^OPTION at must be a valid Date/],
    ['anyOf: options', () => anyOf(daily, { timezone: 'UTC' } as Any), /^TRIGGER anyOf/],
    ['except: a date', () => except(daily, '2026-12-25' as Any), /^TRIGGER .*\{ dates: \["2026-12-25"\] \}/],
    ['except: dates', () => except(daily, ['2026-12-25'] as Any), /^TRIGGER .*\{ dates: /],
    [
      'except: an expression',
      () => except(daily, '0 2 * * SUN' as Any),
      /^TRIGGER .*\{ opens: "0 2 \* \* SUN"/,
    ],
    ['calendar: dates', () => calendar({ dates: '2026-12-25' as Any }), /^TRIGGER .*an array of dates/],
    ['calendar: weekdays', () => calendar({ weekdays: 'SAT' as Any }), /^TRIGGER .*an array of weekdays/],
    ['calendar: daily', () => calendar({ daily: { from: 9 } as Any }), /^TRIGGER .*time of day/],
    [
      'calendar: two',
      () => (calendar as Any)({ daily: '09:00-10:00' }, { timezone: 'UTC' }),
      /^TRIGGER .*one argument/,
    ],
    ['calendar: holidays', () => calendar({ date: ['12-25'] } as Any), /did you mean dates/],
    [
      'blackout',
      () => createScheduler().job('a', daily, { blackout: '12-25' as Any }, () => {}),
      /^OPTION blackout/,
    ],
    [
      'zone of a job that needs none',
      () => createScheduler().job('a', every('1h'), { timezone: 'Mars' }, () => {}),
      /^TIMEZONE/,
    ],
    ['zone of a scheduler', () => createScheduler({ timezone: 'Mars' }), /^TIMEZONE/],
    ['zone of the defaults', () => createScheduler({ defaults: { timezone: 'Mars' } }), /^TIMEZONE/],
  ])('%s', (_, act, words) => expect(refusal(act)).toMatch(words))
})

describe('instants', () => {
  it.each<[unknown, RegExp]>([
    ['2026-02-30T09:00:00Z', /there is no such day/],
    ['2026-02-30', /there is no such day/],
    ['2026-13-01T00:00:00Z', /there is no such day/],
    ['2026-12-24T24:00:00Z', /there is no such time/],
    ['2026-12-24 09:60', /there is no such time/],
    ['2026-12-24T09:00:00+25:00', /there is no such time/],
    ['12-24-2026', /write "2026-12-24"/],
    ['24.12.2026', /write "2026-12-24"/],
    ['2026/12/24', /write "2026-12-24"/],
    ['Thu, 24 Dec 2026 09:00:00 +0000', /got "Thu/],
    ['tomorrow', /got "tomorrow"/],
    ['', /got ""/],
    ['1798102800000', /got "1798102800000"/],
    [1798102800, /looks like seconds: write 1798102800000/],
    [1798102800000000, /looks like microseconds: write 1798102800000/],
    [true, /got true/],
    [null, /got null/],
    [undefined, /got undefined/],
    [10n, /got 10n/],
    [Number.NaN, /got NaN/],
    [Number.POSITIVE_INFINITY, /got Infinity/],
    [9e15, /got 9000000000000000/],
    [new Date('soon'), /got an invalid Date/],
    [{ year: 2026 }, /got an object/],
    [Symbol('x'), /got Symbol/],
  ])('%s is refused', (when, words) => {
    expect(refusal(() => at(when as Any))).toMatch(words)
    expect(refusal(() => limit(daily, 3, { from: when as Any }))).toMatch(when === undefined ? /from/ : words)
    if (when === undefined) return
    expect(refusal(() => between(daily, when as Any, undefined))).toMatch(words)
    expect(refusal(() => between(daily, undefined, when as Any))).toMatch(words)
  })

  it.each<[unknown, string]>([
    ['2026-12-24T09:00:00Z', '2026-12-24T09:00:00.000Z'],
    ['2026-12-24T09:00Z', '2026-12-24T09:00:00.000Z'],
    ['2026-12-24t09:00:00.123456z', '2026-12-24T09:00:00.123Z'],
    ['2026-12-24T09:00:00+08:00', '2026-12-24T01:00:00.000Z'],
    ['2026-12-24 09:00:00-0330', '2026-12-24T12:30:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0050-01-01T00:00:00Z', '0050-01-01T00:00:00.000Z'],
    ['+012026-12-24T09:00:00.000Z', '+012026-12-24T09:00:00.000Z'],
    ['2026-12-24', '2026-12-24T00:00:00.000Z'],
    ['2026-12-24 09:00:30.5', '2026-12-24T09:00:30.500Z'],
    [1798102800000, '2026-12-24T09:00:00.000Z'],
    [1798102800000.7, '2026-12-24T09:00:00.000Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    [new Date('2026-12-24T09:00:00Z'), '2026-12-24T09:00:00.000Z'],
  ])('%s is %s', (when, iso) => {
    const trigger = at(when as Any, { timezone: 'UTC' })
    const first = trigger.next(new Date(-8.64e15))
    expect(first?.toISOString()).toBe(iso)
    expect(trigger.next(first as Date)).toBeUndefined()
  })
})

describe('intervals', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a third of a second', () => every(1000 / 3), /^DURATION .*whole number of milliseconds.*333\.3/],
    ['a fraction', () => every(0.5), /^DURATION/],
    ['a fraction of a phase', () => every(1000, { phase: 0.1 }), /^DURATION .*phase.*whole/],
    ['none', () => every(0), /^DURATION/],
    ['NaN', () => every(Number.NaN), /^DURATION/],
    ['text', () => every('often'), /^DURATION/],
    ['a fraction of a window', () => calendar({ opens: daily, for: 1.5 }), /^DURATION/],
  ])('%s', (_, act, words) => expect(refusal(act)).toMatch(words))
})

describe('triggers of others', () => {
  const made = (next: (after: Date) => unknown) => ({ next }) as Any
  it.each<[string, (after: Date) => unknown, RegExp]>([
    ['NaN', () => Number.NaN, /must give a Date.*gave NaN/],
    ['a number', (after) => after.getTime() + 1000, /must give a Date/],
    ['text', () => '2026-12-24', /must give a Date.*gave "2026-12-24"/],
    ['a promise', async () => new Date(), /must give a Date.*promise/],
    ['an invalid Date', () => new Date('soon'), /must give a Date.*an invalid Date/],
    ['the same instant', (after) => after, /must give an instant after/],
    ['an instant before', () => new Date(0), /must give an instant after/],
  ])('%s', (_, next, words) => {
    const other = made(next)
    for (const trigger of [
      anyOf(other),
      except(other, () => false),
      between(other, '2026-01-01', undefined),
      limit(other, 3, { from: '2026-01-01' }),
    ])
      expect(refusal(() => trigger.next(from))).toMatch(words)
    expect(refusal(() => [...upcoming(other, { from })])).toMatch(words)
    expect(refusal(() => explain(other, from))).toMatch(words)
  })
  it.each([
    ['a function', async () => Promise.reject(new Error('late'))],
    ['an object', { includes: async () => Promise.reject(new Error('late')) }],
  ])('a calendar that gives a promise: %s', async (_, given) => {
    const refused = /^TRIGGER calendar: expected an answer at once/
    expect(refusal(() => except(daily, given as Any).next(from))).toMatch(refused)
    expect(refusal(() => explain(except(daily, given as Any), from))).toMatch(refused)
    const { policies } = createScheduler().job('a', daily, { blackout: given as Any }, () => {})
    expect(refusal(() => policies.blackout?.includes(from))).toMatch(refused)
  })
  it('null is no instant, as undefined is', () => expect(anyOf(made(() => null)).next(from)).toBeUndefined())
  it.each([
    ['cron', cron(daily)],
    ['@every', cron('@every 5m')],
    ['every', every('1h')],
    ['at', at('2026-12-24')],
    ['anyOf', anyOf(daily)],
    ['except', except(daily, { weekdays: [0] })],
    ['between', between(daily, undefined, '2030-01-01')],
    ['limit', limit(daily, 3, { from })],
  ])('%s asked with what is no Date', (_, trigger) => {
    for (const after of [undefined, null, '2026-11-26', 5, {}])
      expect(refusal(() => trigger.next(after as Any))).toMatch(/^TRIGGER next: expected a Date/)
  })
})

// GARBAGE=2000000 npx vitest run … for the large number.
const runs = Number(process.env.GARBAGE ?? 4000)

it(
  'garbage gives coded errors only, and every preview ends',
  () => {
    const text = fc.oneof(
      fc.constantFrom(
        daily,
        '@every 5m',
        '2026-12-24',
        '12-25..01-01',
        '09:00-17:00',
        'UTC',
        'SAT',
        '1h',
        'H * * * *',
        'vixie',
        '* * * * *',
      ),
      fc.string(),
      fc.string({ unit: 'binary' }),
    )
    const anything = fc.oneof(
      text,
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withNullPrototype: true,
        withSparseArray: true,
        withTypedArray: true,
        withObjectString: true,
      }),
      fc.constantFrom(
        Symbol('s'),
        () => 5,
        async () => true,
        { next: () => 5 },
        { next: () => new Date(5) },
        { includes: () => 'yes' },
        every('1h'),
        cron(daily),
      ),
      fc.date({ noInvalidDate: false }),
      fc.double(),
      fc.integer(),
    )
    const options = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.dictionary(
          fc.constantFrom(
            'timezone',
            'dst',
            'seed',
            'from',
            'count',
            'until',
            'phase',
            'expression',
            'on',
            'dates',
            'weekdays',
            'daily',
            'opens',
            'for',
            'tz',
          ),
          fc.oneof(anything, fc.array(anything, { maxLength: 3 })),
          { maxKeys: 3 },
        ),
      },
      anything,
    )
    const makers: ((a: Any, b: Any, c: Any, d: Any) => Any)[] = [
      (a, b) => cron(a, b),
      (a, b) => every(a, b),
      (a, b) => at(a, b),
      (a, b, c) => at([a, c], b),
      (a, b, c, d) => between(a, c, d, b),
      (a, b, c) => limit(a, c, b),
      (a, b, c) => anyOf(a, b, c),
      (a, b, c) => except(a, b, c),
      (a, b) => after(a, b),
      (a, b) => calendar(b ?? a),
      (a, b) => toTrigger(a, b),
      (a, b, c) => toTrigger([a, c], b),
      (a, b, c) => explain(a, c, b).reasons,
      (a, b) => upcoming(a, b),
    ]
    const now = new Date('2026-11-26T10:00:00Z')
    const use = (made: Any) => {
      if (typeof made?.next === 'function' && typeof made[Symbol.iterator] !== 'function') {
        let at: Date | undefined = now
        for (let i = 0; at && i < 3; i++) at = made.next(at)
      } else if (typeof made?.includes === 'function' && !Array.isArray(made)) made.includes(now)
      else if (typeof made?.[Symbol.iterator] === 'function') {
        let i = 0
        for (const _ of made) if (++i === 3) break
      }
    }
    let refused = 0
    let taken = 0
    fc.assert(
      fc.property(fc.constantFrom(...makers), anything, options, anything, anything, (make, a, b, c, d) => {
        try {
          use(make(a, b, c, d))
          taken++
        } catch (error) {
          if (!(error instanceof EscapementError)) throw error
          refused++
        }
      }),
      { numRuns: runs },
    )
    expect(refused).toBeGreaterThan(runs / 4)
    expect(taken).toBeGreaterThan(runs / 200)
  },
  20_000 + runs,
)
