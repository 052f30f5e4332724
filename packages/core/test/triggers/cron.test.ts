import { createScheduler } from '@escapement/core'
import { describe, expect, it } from 'vitest'
import {
  anyOf,
  at,
  between,
  cron,
  every,
  except,
  explain,
  limit,
  type TriggerSpec,
  upcoming,
} from '../../src/triggers/index.ts'

function refusal(
  expression: unknown,
  options: object = { timezone: 'UTC' },
): { code: string; message: string } {
  try {
    cron(expression as string, options)
  } catch (error) {
    return error as never
  }
  throw new Error(`${expression} was taken`)
}

describe('the edges of the dialect', () => {
  it.each([
    '* * * * 1-',
    '*-5 * * * *',
    '5-* * * * *',
    '*/5-10 * * * *',
    '1-2-3 * * * *',
    '1/2/3 * * * *',
    '*5 * * * *',
    '** * * * *',
    '5* * * * *',
    '1.5 * * * *',
    '+5 * * * *',
    '0x1 * * * *',
    '１ * * * *',
    '1_0 * * * *',
    '* * L-W * *',
    '* * W5 * *',
    '* * LW-1 * *',
    '* * L5W * *',
    '* * L- * *',
    '* * L--1 * *',
    '* * 15WL * *',
    '* * 5W5 * *',
    '* * * * 5L5',
    '* * * * 5##2',
    '* * * * 5#',
    '* * * * #5',
    '* * * * 5#3#1',
    '* * * * 5#1-3',
    '* * * * MON#MON',
    '* * * * MON#0',
    '* * * * SUN-SUN#2',
    '* * * * L#2',
    '* * * * 1-5L',
    '* * * * MON-FRIL',
    '* * * * *L',
    '* * * * ?L',
    '* * * * */2L',
    '* * * * 5L/2',
    '* * LL * *',
    '* * 15W/2 * *',
    '* * L/2 * *',
    '* * * JANFEB *',
    '* * * JAN- *',
    '* * * -JAN *',
    '* * * * MON/',
    '* * * * TUES',
    '* * * SEPT *',
    '@every .',
    '@every -1h',
    '@every 1h-30m',
    '@every 1h30',
    '@every 1x',
    '@ daily',
    '@daily x',
    '0 0 0 1 1 * 1969',
    '0 0 0 1 1 * 2200',
    '* * 0W * *',
    '* * 32W * *',
    '* * L-31 * *',
    '* * * * 8L',
    '* * ?/2 * *',
    '* * ?,1 * *',
    '* * 1,? * *',
    '? ? * * *',
    '* * * * MONDAY',
    'a b c d e',
    '* * * * * * * *',
    '* * * *',
    '\u0000',
    '* * * * 1;2',
    '* * * * 1|2',
    'H/0 * * * *',
    'H(5-2) * * * *',
    'H(0-70) * * * *',
    'H( * * * *',
    'H() * * * *',
    'HH * * * *',
    'H5 * * * *',
    '- - - - -',
    '* * * * ,',
    '* * * * MON,',
    '* * ,L * *',
    '%',
    '%* * * * *',
    '~ * * * *',
    '0~5 * * * *',
    '* * L-1-1 * *',
    '* * 1-L * *',
    '* * * L *',
    '* L * * *',
    '* * * * W',
    '* * * * 5W',
    'L * * * *',
    '* * C * *',
  ])('%j is refused', (expression) => {
    expect(refusal(expression, { timezone: 'UTC', seed: 'job' }).code).toBe('ERR_ESCAPEMENT_CRON')
  })
  it.each([
    '*,* * * * *',
    '*/1 * * * *',
    '0-0 * * * *',
    '* * L,L-1,LW,15W,L-2W,1-3 * *',
    '* * * * 5L,1#2,3,SAT-SUN',
    '* * * * 7#1',
    '* * * * sunl',
    '* * l-3w * *',
    '0 0 ? * ?',
    '0 0 0 ? * ? *',
    '@Every 90m',
    '@every 1.5h',
    '@YEARLY',
    '0 0 1 1 * ',
    '* * * * * * 1970-2199/5,2020',
    'H H(1-5)/2 H * H',
    'h * * * *',
    '59 59 23 31 12 7 2199',
    '55-2 * * * *',
    '0 0 * NOV-FEB *',
    '0 0 28-3 * *',
    '0 0 * * FRI-WED',
  ])('%j is taken', (expression) => {
    expect(cron(expression, { timezone: 'UTC', seed: 'job' }).next(new Date(0))).toBeInstanceOf(Date)
  })
})

describe('errors of cron()', () => {
  it.each([
    ['0 25 * * *', /hour field has "25" at position 3: 25 is outside 0–23/],
    ['0 24 * * *', /did you mean "0"\?/],
    ['*/90 * * * *', /did you mean "@every 90m"\?/],
    ['0 17-9 * * *', /runs backwards; to wrap around write "17-23,0-9".*did you mean "9-17"\?/],
    ['0 0 * * monday', /day-of-week field has "monday" at position 9.*did you mean "MON"\?/],
    ['0 0 * janu *', /month field.*did you mean "JAN"\?/],
    ['0 0 MON * *', /MON belongs into the day-of-week field/],
    ['0 0 * * L', /L needs a weekday before it.*did you mean "5L"\?/],
    ['0 0 * * 5#6', /# needs a weekday before it and 1 to 5 after it/],
    ['? * * * *', /minute field has "\?" at position 1.*did you mean "\*"\?/],
    ['1,,3 * * * *', /minute field has nothing at position 3: a value is missing/],
    ['  0  0  31W-1 * *', /"31W-1" at position 9/],
    ['0 0 * * * * 2030-2025', /years do not wrap around.*did you mean "2025-2030"\?/],
    ['0 0 0 1 1 * 1969', /year field.*1969 is outside 1970–2199/],
    ['* * * *', /it has 4 fields; 5 are minute, hour/],
    ['', /it is empty/],
    ['daily', /did you mean "@daily"\?/],
    ['@dialy', /no such nickname.*did you mean "@daily"\?/],
    ['@reboot', /run the job once at start/],
    ['@every 10 minutes', /@every takes one duration/],
    ['@every 0s', /must be at least 1ms/],
    ['TZ=UTC 0 0 * * *', /the time zone is an option/],
    ['H * * * *', /H needs a seed/],
    ['x'.repeat(2000), /longer than 1000/],
    [undefined, /expected a string/],
    [5, /expected a string/],
  ])('%s', (expression, message) => {
    const error = refusal(expression)
    expect(error.message).toMatch(message)
    expect(error.code).toBe('ERR_ESCAPEMENT_CRON')
  })

  it('what can never fire is refused', () => {
    for (const expression of [
      '0 0 30 2 *',
      '0 0 31 4,6,9,11 *',
      '0 0 0 29 2 * 2021-2023',
      '0 0 L-30 2 *',
      '0 0 31W 4 *',
    ]) {
      expect(refusal(expression).message).toMatch(/can never fire/)
      expect(refusal(expression).code).toBe('ERR_ESCAPEMENT_TRIGGER')
    }
  })

  it('options', () => {
    expect(refusal('* * * * *', { timezone: 'Europe/Berln' })).toMatchObject({
      code: 'ERR_ESCAPEMENT_TIMEZONE',
      message:
        'timezone: expected an IANA zone such as "Europe/Berlin", got "Europe/Berln"; did you mean "Europe/Berlin"?',
    })
    expect(refusal('* * * * *', { timezone: 5 }).code).toBe('ERR_ESCAPEMENT_TIMEZONE')
    expect(refusal('* * * * *', { dst: 'later' }).code).toBe('ERR_ESCAPEMENT_OPTION')
    expect(refusal('H * * * *', { seed: 5 }).code).toBe('ERR_ESCAPEMENT_OPTION')
  })
})

describe('whether it follows elapsed time, by the first character of second, minute and hour', () => {
  it.each([
    ['* * * * *', true],
    ['*/15 3 * * *', true],
    ['0 * * * *', true],
    ['@hourly', true],
    ['*,5 3 * * *', true],
    ['30 0 3 * * *', false],
    ['0-59 0-23 * * *', false],
    ['5,*/20 3 * * *', false],
    ['0/15 0 * * *', false],
    ['@daily', false],
  ])('%s: %s', (expression, followsElapsedTime) =>
    expect(cron(expression).followsElapsedTime).toBe(followsElapsedTime),
  )
})

describe('plain', () => {
  it.each([
    ['@daily', '0 0 * * *'],
    ['0 9 * * MON', '0 9 * * MON'],
    ['30 0 9 * * MON', '30 0 9 * * MON'],
    ['0 0 9 * * MON 2027', '0 0 9 * * MON 2027'],
    ['0 0 9 * * MON *', '0 9 * * MON'],
    ['@every 1h', '@every 1h'],
    ['H 9 H,LW * *', expect.stringMatching(/^\d+ 9 \d+,LW \* \*$/)],
    ['H/20 9 * * *', expect.stringMatching(/^\d+,\d+,\d+ 9 \* \* \*$/)],
  ])('%s is %s', (expression, plain) => {
    const trigger = cron(expression, { timezone: 'UTC', seed: 'job' })
    expect(trigger.plain).toEqual(plain)
    expect(cron(trigger.plain, { timezone: 'UTC' }).next(new Date(5))).toEqual(trigger.next(new Date(5)))
  })
})

describe('Sunday has two numbers', () => {
  it.each([
    ['7-2', 'SUN,MON,TUE'],
    ['5-0', 'FRI,SAT,SUN'],
    ['sat-tue', '6,0,1,2'],
    ['7', '0'],
    ['7-7', '0'],
    ['7-0', '0'],
    ['0-7', '*'],
    ['7#2', '0#2'],
    ['1/2', '1,3,5,7'],
    ['FRI-WED', '0,1,2,3,5,6'],
  ])('%s is %s', (one, other) => {
    const ten = (field: string) =>
      [...upcoming(`0 0 * * ${field}`, { timezone: 'UTC', from: new Date(0) })].map(({ local }) => local)
    expect(ten(one)).toEqual(ten(other))
  })
})

describe('zones', () => {
  it('the default is the zone of the process', () => {
    expect(cron('0 0 * * *').timezone).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone)
  })
})

const berlin = { timezone: 'Europe/Berlin' }
const spring = new Date('2026-03-28T12:00:00Z')
const autumn = new Date('2026-10-24T23:00:00Z')

describe('upcoming', () => {
  const shown = (expression: string, from: Date, count: number, dst?: 'vixie' | 'skip' | 'shift') =>
    [...upcoming(expression, { ...berlin, from, count, dst })].map(
      ({ local, notes }) => `${local} ${notes.map((note) => `${note.kind}: ${note.text}`).join()}`,
    )

  it('says when an instant stands in for a lost time', () => {
    expect(shown('15,45 2 * * *', spring, 2)).toEqual([
      '2026-03-29T03:00:00+02:00 shifted: stands in for 2026-03-29 02:15 (and later), which did not exist',
      '2026-03-30T02:15:00+02:00 ',
    ])
    expect(shown('15,45 2 * * *', spring, 2, 'shift')).toEqual([
      '2026-03-29T03:15:00+02:00 shifted: stands in for 2026-03-29 02:15, which did not exist',
      '2026-03-29T03:45:00+02:00 shifted: stands in for 2026-03-29 02:45, which did not exist',
    ])
  })
  it('says what was left out', () => {
    const left = '2026-03-30T02:30:00+02:00 skipped: 2026-03-29 02:30 did not exist and was left out'
    expect(shown('30 2 * * *', spring, 1, 'skip')).toEqual([left])
    expect(shown('*/30 2 * * *', spring, 1)).toEqual([
      '2026-03-30T02:00:00+02:00 skipped: 2026-03-29 02:00 (and later) did not exist and was left out',
    ])
  })
  it('says what comes twice', () => {
    expect(shown('30 * * * *', autumn, 3)).toEqual([
      '2026-10-25T01:30:00+02:00 ',
      '2026-10-25T02:30:00+02:00 ',
      '2026-10-25T02:30:00+01:00 doubled: 2026-10-25 02:30 for the second time',
    ])
    expect(shown('30 2 * * *', autumn, 2)).toEqual([
      '2026-10-25T02:30:00+02:00 once: 2026-10-25 02:30 comes twice; it runs the first time only',
      '2026-10-26T02:30:00+01:00 ',
    ])
  })
  it('says once what a change at the end of a year left out', () => {
    const options = { timezone: 'Pacific/Fakaofo', from: new Date('2011-12-10'), count: 2 }
    for (const spec of ['0 12 1,30 * *', anyOf('0 12 1,30 * *', '0 12 1,30 * *')])
      expect([...upcoming(spec, options)].map(({ notes }) => notes.map((note) => note.text))).toEqual([
        ['2011-12-30 12:00 did not exist and was left out'],
        [],
      ])
  })
  it('is bounded by a count, an end, or the schedule', () => {
    const count = (options: object) =>
      [...upcoming('0 0 0 1 1 * 2027-2028', { ...berlin, from: spring, ...options })].length
    expect(count({})).toBe(2)
    expect(count({ count: 1 })).toBe(1)
    expect(count({ until: new Date('2027-06-01') })).toBe(1)
    expect([...upcoming('* * * * *')].length).toBe(10)
  })
})

describe('explain', () => {
  const why = (expression: string, at: string, options: object = { timezone: 'UTC' }) => {
    const { fires, reasons } = explain(expression, new Date(at), options)
    return [fires, ...reasons]
  }
  it.each([
    ['0 9 * * MON-FRI', '2026-11-20T09:00:00Z', [true, 'all fields match']],
    ['0 9 * * MON-FRI', '2026-11-21T09:00:00Z', [false, 'day-of-week is SAT; "MON-FRI" does not allow it']],
    ['0 9 L * *', '2026-11-20T09:00:00Z', [false, 'day-of-month is 20; "L" does not allow it']],
    [
      '0 9 L * 1',
      '2026-11-20T09:00:00Z',
      [false, expect.stringMatching(/is 20 and .* is FRI; .*\(either would do\)$/)],
    ],
    ['0 9 */2 * 1', '2026-11-20T09:00:00Z', [false, expect.stringMatching(/\(both are needed\)$/)]],
    [
      '0 9,12 * 12 *',
      '2026-11-20T10:00:00Z',
      [false, 'month is 11; "12" allows 12', 'hour is 10; "9,12" allows 9,12'],
    ],
    [
      '0 0 9 * * * 2027',
      '2026-11-20T09:00:00.500Z',
      [false, 'year is 2026; "2027" allows 2027', 'it is not a whole second'],
    ],
    ['@every 15m', '2026-11-20T09:16:00Z', [false, 'it is 1m past the grid of 15m']],
    ['@every 15m', '2026-11-20T09:15:00Z', [true, 'it is on the grid of 15m']],
  ])('%s at %s', (expression, at, expected) => expect(why(expression, at)).toEqual(expected))

  it('the clocks', () => {
    expect(why('30 2 * * *', '2026-03-29T01:00:00Z', berlin)).toEqual([
      true,
      'stands in for 2026-03-29 02:30, which did not exist',
    ])
    expect(why('30 2 * * *', '2026-10-25T01:30:00Z', berlin)).toEqual([
      false,
      '2026-10-25 02:30 comes twice and runs the first time only',
    ])
    expect(why('30 2 * * *', '2026-03-29T01:00:00Z', { ...berlin, dst: 'skip' })).toEqual([
      false,
      'hour is 3; "2" allows 2',
      'minute is 0; "30" allows 30',
      '2026-03-29 02:30 did not exist and was left out',
    ])
    expect(why('30 2 * * *', '2026-03-29T02:00:00Z', { ...berlin, dst: 'skip' })).toHaveLength(3)
    expect(why('*/40 2 * * *', '2026-03-29T01:00:00Z', berlin).at(-1)).toBe(
      '2026-03-29 02:00 (and later) did not exist and was left out',
    )
  })
})

describe('forms of other schedulers are refused with what to write here', () => {
  it.each([
    ['cron(0 10 * * ? *)', 'AWS', '"0 10 * * ?"'],
    ['cron(15 12 ? * 2-6 *)', 'AWS', '"15 12 ? * 1-5"'],
    ['cron(0 8 ? * 1,7 *)', 'AWS', '"0 8 ? * 0,6"'],
    ['cron(0 18 ? * MON-FRI 2026-2027)', 'AWS', '"0 0 18 ? * MON-FRI 2026-2027"'],
    ['cron(0 9 ? * 6#3 *)', 'AWS', '"0 9 ? * 5#3"'],
    ['cron(0 9 ? * 6L *)', 'AWS', '"0 9 ? * 5L"'],
    ['cron(0 9 L * ? *)', 'AWS', '"0 9 L * ?"'],
    ['cron(0/15 * * * ? *)', 'AWS', '"0/15 * * * ?"'],
    [' CRON( 0 10 * * ? * ) ', 'AWS', '"0 10 * * ?"'],
    ['cron(0 10)', 'AWS', 'minute, hour, day-of-month, month, day-of-week, year'],
    ['rate(5 minutes)', 'AWS', '"@every 5m"'],
    ['rate(1 hour)', 'AWS', '"@every 1h"'],
    ['rate(7 days)', 'AWS', '"@every 7d"'],
    ['at(2026-12-24T09:00:00)', 'AWS', "at('2026-12-24 09:00', { timezone })"],
    ['0 10 * * ? *', 'year last', '"0 10 * * ?"'],
    ['0 10 ? * MON-FRI 2026', 'year last', '"0 0 10 ? * MON-FRI 2026"'],
    ['0 12 * * 1 2026-2028', 'year last', '"0 0 12 * * 1 2026-2028"'],
    ['0 12 1 1 ? 2026/2', 'year last', '"0 0 12 1 1 ? 2026/2"'],
    ['0 12 ? * L', 'L needs a weekday', '5L'],
    ['every 5 minutes', 'words', '"@every 5m"'],
    ['every 2 hours', 'words', '"@every 2h"'],
    ['every 90s', 'interval', '"@every 90s"'],
    ['5m', 'interval', '"@every 5m"'],
    ['1h30m', 'interval', '"@every 1h30m"'],
    ['09:30', 'time of day', '"30 9 * * *"'],
  ])('%s', (expression, ...words) => {
    const { code, message } = refusal(expression)
    expect(code).toBe('ERR_ESCAPEMENT_CRON')
    for (const word of words) expect(message).toContain(word)
    const idea = /write "([^"]+)"/.exec(message)?.[1]
    if (idea) expect(cron(idea, { timezone: 'UTC' }).next(new Date(0))).toBeInstanceOf(Date)
  })
})

describe('previews agree with the job as it is registered', () => {
  const from = new Date('2026-11-26T10:01:07Z')
  const specs: [string, TriggerSpec][] = [
    ['an expression', '30 2 * * *'],
    ['@every', '@every 7m'],
    ['@every within others', anyOf('@every 7m', '0 9 * * *')],
    ['@every within except', except('@every 7m', { weekdays: [0] })],
    ['@every within limit', limit('@every 7m', 3, { from })],
    ['local times', between('0 * * * *', '2026-12-01', '2026-12-03 12:00')],
    ['local instants', at(['2026-12-24 09:00', '2026-12-25 09:00'])],
    ['a calendar', except('0 * * * *', { daily: '00:00-20:00' })],
    ['windows', except('0 * * * *', { opens: '0 0 * * *', for: '20h' })],
    ['a list', ['0 9 * * *', every('7h')]],
    ['H with a seed', cron('H H * * *', { seed: 'other' })],
    ['H with the name as seed', 'H H * * *'],
  ]
  it.each(specs)('%s', (_, spec) => {
    const scheduler = createScheduler({ timezone: 'Asia/Shanghai' })
    const { trigger } = scheduler.job('job', spec, { dst: 'skip' }, () => {})
    const options = { from, count: 5, timezone: 'Asia/Shanghai', dst: 'skip', seed: 'job' } as const
    const of = (found: Iterable<{ at: Date }>) => [...found].map((one) => one.at.toISOString())
    const job: string[] = []
    for (let at = trigger.next(from); at && job.length < 5; at = trigger.next(at)) job.push(at.toISOString())
    expect(of(upcoming(spec, options))).toEqual(job)
    expect(of(upcoming(trigger, { from, count: 5 }))).toEqual(job)
    const first = new Date(job[0] as string)
    expect(explain(spec, first, { timezone: 'Asia/Shanghai', dst: 'skip', seed: 'job' }).fires).toBe(true)
    expect(explain(trigger, first).fires).toBe(true)
  })
  it('without options too, where nothing depends on a scheduler', () => {
    const aligned = [...upcoming(anyOf('@every 7m'), { from, count: 1 })][0]?.at
    expect(aligned).toEqual(every('7m').next(from))
  })
  it('an H that only the name of a job settles is refused', () => {
    expect(() => upcoming('0 H * * *')).toThrow(/H needs a seed/)
    expect(() => upcoming(anyOf('0 H * * *'))).toThrow(/H needs a seed/)
    expect(() => explain(except('0 H * * *', { weekdays: [0] }), from)).toThrow(/H needs a seed/)
  })
})
