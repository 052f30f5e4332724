import { toTrigger } from '@escapement/core'
import { expect, describe as group, it } from 'vitest'
import { daysOf, describe, drawYear, main } from '../src/index.ts'

function run(...argv: string[]): { code: number; out: string[]; error: string } {
  const out: string[] = []
  const error: string[] = []
  const code = main(argv, { out: (text) => out.push(...text.split('\n')), error: (text) => error.push(text) })
  if (typeof code !== 'number') throw new Error('a command of schedules gives its exit code at once')
  return { code, out, error: error.join('\n') }
}

const from = ['--from', '2026-11-20T00:00:00Z']
const shanghai = ['--tz', 'Asia/Shanghai']

group('next', () => {
  it('shows local time and UTC', () => {
    expect(run('next', '0 0 LW * *', ...shanghai, ...from, '-n', '2')).toEqual({
      code: 0,
      out: [
        '2026-11-30T00:00:00+08:00  2026-11-29T16:00:00Z',
        '2026-12-31T00:00:00+08:00  2026-12-30T16:00:00Z',
      ],
      error: '',
    })
  })
  it('says what the clocks did', () => {
    const { out } = run(
      'next',
      '30 2 * * *',
      '--tz',
      'Europe/Berlin',
      '--from',
      '2026-03-28 12:00',
      '-n',
      '1',
    )
    expect(out[0]).toMatch(
      /^2026-03-29T03:00:00\+02:00 .*# stands in for 2026-03-29 02:30, which did not exist$/,
    )
  })
  it('takes a policy, an end and a seed', () => {
    const berlin = ['--tz', 'Europe/Berlin', '--from', '2026-03-28 12:00']
    expect(run('next', '30 2 * * *', ...berlin, '-n', '1', '--dst', 'skip').out[0]).toMatch(
      /^2026-03-30T02:30/,
    )
    expect(run('next', '0 9 * * *', '--tz', 'UTC', ...from, '--until', '2026-11-22 12:00').out).toHaveLength(
      3,
    )
    expect(run('next', 'H 9 * * *', '--seed', 'job', '-n', '1', ...from)).toMatchObject({ code: 0 })
    expect(run('next', 'H 9 * * *')).toMatchObject({
      code: 1,
      error: expect.stringContaining('H needs a seed'),
    })
  })
  it('as JSON', () => {
    const { out } = run('next', '0 9 * * *', '--tz', 'UTC', ...from, '-n', '1', '--json')
    expect(JSON.parse(out.join('\n'))).toEqual([
      { at: '2026-11-20T09:00:00.000Z', local: '2026-11-20T09:00:00+00:00', notes: [] },
    ])
  })
  it('ends with 1 when there is none', () => {
    expect(run('next', '0 0 0 1 1 * 2020', ...from)).toMatchObject({
      code: 1,
      error: expect.stringContaining('is not due after'),
    })
  })
  it('shows ten unless told otherwise', () => expect(run('next', '* * * * *').out).toHaveLength(10))
})

group('explain', () => {
  it('says why, and ends with 0 or 1', () => {
    expect(run('explain', '0 9 * * MON-FRI', '2026-11-20 09:00', ...shanghai)).toMatchObject({
      code: 0,
      out: [
        '0 9 * * MON-FRI is due at 2026-11-20T09:00:00+08:00',
        '  + all fields match',
        '  next after that: 2026-11-23T01:00:00Z',
      ],
    })
    expect(run('explain', '0 9 * * MON-FRI', '2026-11-21 09:00', ...shanghai)).toMatchObject({
      code: 1,
      out: expect.arrayContaining(['  - day-of-week is SAT; "MON-FRI" does not allow it']),
    })
  })
  it('as JSON', () => {
    const { out } = run('explain', '0 9 * * *', '2026-11-20T09:00:00Z', '--tz', 'UTC', '--json')
    expect(JSON.parse(out.join('\n'))).toMatchObject({ fires: true, next: '2026-11-21T09:00:00.000Z' })
  })
})

group('what is not said by itself', () => {
  it('more instants than are shown', () => {
    const { code, out, error } = run(
      'next',
      '* * * * * *',
      '--tz',
      'UTC',
      '--from',
      '2026-01-01',
      '--until',
      '2026-01-03',
    )
    expect([code, out.length]).toEqual([0, 100_000])
    expect(error).toMatch(/only the first 100000 .*2026-01-03T00:00:00.000Z.*--until/)
    expect(
      run('next', '* * * * *', '--from', '2026-01-01', '--until', '2026-01-02', '--tz', 'UTC').error,
    ).toBe('')
    expect(run('next', '* * * * *', '-n', '3', '--until', '2099-01-01', '--tz', 'UTC').error).toBe('')
  })
  it('forms of other schedulers', () => {
    expect(run('next', 'rate(5 minutes)').error).toContain('write "@every 5m"')
    expect(run('describe', 'cron(0 10 * * ? 2026)').error).toContain('write "0 0 10 * * ? 2026"')
  })
  it('zones that are none', () => {
    expect(run('next', '0 9 * * *', '--tz', 'China Standard Time')).toMatchObject({
      code: 2,
      error: expect.stringContaining('write "Asia/Shanghai"'),
    })
  })
})

group('describe', () => {
  it.each([
    ['0 0 LW * *', 'At 00:00, on the last weekday of the month', '在00:00, 限每月的最后一个工作日'],
    ['0 0 lw * *', 'At 00:00, on the last weekday of the month', '在00:00, 限每月的最后一个工作日'],
    ['0 9 * * mon-fri', 'At 09:00, Monday through Friday', '在09:00, 星期一至星期五'],
    ['0 0 * * FRI#L', 'At 00:00, on the last Friday of the month', '在00:00, 限每月的最后一个星期五'],
    ['0 0 * * 7L', 'At 00:00, on the last Sunday of the month', '在00:00, 限每月的最后一个星期日'],
    ['@every 90m', 'Every 90m, as time elapses', '每隔 90m（按经过的时间）'],
    ['@daily', 'At 00:00', '在00:00'],
    [
      '0 0 L-2W * *',
      /^At 00:00, on the weekday nearest 2 days before the last day/,
      /之前第2天最接近的工作日$/,
    ],
    ['0 0 L-0W * *', 'At 00:00, on the last weekday of the month', '在00:00, 限每月的最后一个工作日'],
    ['0 0 2W,LW * ?', /nearest day 2.*; or: .*last weekday of the month$/, /；或者：/],
    ['0 0 13 * FRI', /day 13 of the month, and on Friday \(either day will do\)$/, /满足其一即可）$/],
    ['0 0 */2 * SUN', /\(both must hold\)$/, /须同时满足）$/],
  ])('%s', (expression, english, chinese) => {
    const match = (text: string | RegExp) => (typeof text === 'string' ? text : expect.stringMatching(text))
    expect(describe(expression)).toEqual(match(english))
    expect(describe(expression, { lang: 'zh' })).toEqual(match(chinese))
  })
  it('H is shown as what it stands for', () =>
    expect(describe('H 3 * * *', { seed: 'job' })).toMatch(/^At 03:\d\d$/))
  it('is a command', () => {
    expect(run('describe', '@daily', '--lang', 'zh')).toEqual({ code: 0, out: ['在00:00'], error: '' })
    expect(JSON.parse(run('describe', '@daily', '--json').out.join(''))).toEqual({
      expression: '@daily',
      lang: 'en',
      text: 'At 00:00',
    })
  })
})

group('year', () => {
  it('draws the days', () => {
    const { code, out } = run('year', '0 0 LW * *', '2026', ...shanghai)
    expect(code).toBe(0)
    expect(out[0]).toBe('0 0 LW * *  Asia/Shanghai  due on 12 days of 2026')
    expect(out.slice(2, 9)).toEqual([
      '      January                February                March',
      'Mo Tu We Th Fr Sa Su   Mo Tu We Th Fr Sa Su   Mo Tu We Th Fr Sa Su',
      '          .  .  .  .                      .                      .',
      ' .  .  .  .  .  .  .    .  .  .  .  .  .  .    .  .  .  .  .  .  .',
      ' .  .  .  .  .  .  .    .  .  .  .  .  .  .    .  .  .  .  .  .  .',
      ' .  .  .  .  .  .  .    .  .  .  .  .  .  .    .  .  .  .  .  .  .',
      ' .  .  .  . 30  .       .  .  .  . 27  .       .  .  .  .  .  .  .',
    ])
  })
  it('knows local days', () => {
    expect(daysOf(toTrigger('0 20 31 12 *', { timezone: 'UTC' }), 2026, 'UTC')).toEqual(['2026-12-31'])
    expect(
      daysOf(toTrigger('30 23 1,31 1,12 *', { timezone: 'Pacific/Apia' }), 2026, 'Pacific/Apia'),
    ).toEqual(['2026-01-01', '2026-01-31', '2026-12-01', '2026-12-31'])
    const daily = daysOf(
      toTrigger('* * * * * *', { timezone: 'America/Sao_Paulo' }),
      2018,
      'America/Sao_Paulo',
    )
    expect(daily).toHaveLength(365)
  })
  it('leaves nothing out', () => {
    const text = drawYear(2028, daysOf(toTrigger('0 0 * * *', { timezone: 'UTC' }), 2028, 'UTC'))
    expect(text.match(/\d+/g)).toHaveLength(366)
  })
  it('ends with 1 when nothing is due', () => expect(run('year', '0 0 0 1 1 * 2020', '2021').code).toBe(1))
  it('as JSON', () => {
    const { out } = run('year', '0 0 29 2 *', '2028', '--tz', 'UTC', '--json')
    expect(JSON.parse(out.join('\n'))).toMatchObject({ year: 2028, timezone: 'UTC', days: ['2028-02-29'] })
  })
})

group('usage', () => {
  it.each([
    [[], /a command is missing/],
    [['nxt', '* * * * *'], /no command "nxt"/],
    [['toString', '* * * * *'], /no command/],
    [['next'], /the expression is missing/],
    [['next', '0', '9', '*', '*', '*'], /needs quotes/],
    [['next', '* * * * *', '-n', '0'], /-n: expected/],
    [['next', '* * * * *', '-n', 'x'], /-n: expected/],
    [['next', '* * * * *', '--from', 'soon'], /--from: expected a time/],
    [['next', '* * * * *', '--tz', 'Mars'], /timezone: expected/],
    [['next', '* * * * *', '--dst', 'later'], /dst: expected/],
    [['next', '* * * * *', '--wrong'], /wrong/],
    [['explain', '* * * * *'], /the time is missing/],
    [['explain', '* * * * *', 'soon'], /explain: expected a time/],
    [['describe', '* * * * *', '--lang', 'fr'], /--lang: expected/],
    [['year', '* * * * *', 'soon'], /year: expected/],
  ])('%j ends with 2', (argv, message) => {
    const { code, error, out } = run(...argv)
    expect([code, out]).toEqual([2, []])
    expect(error).toMatch(message)
  })
  it('a refused expression ends with 1 and its code', () => {
    expect(run('next', '0 25 * * *')).toMatchObject({
      code: 1,
      error: expect.stringMatching(/position 3.*\[ERR_ESCAPEMENT_CRON\]$/),
    })
    expect(run('describe', '0 0 30 2 *')).toMatchObject({
      code: 1,
      error: expect.stringContaining('can never fire'),
    })
  })
  it('help and version', () => {
    expect(run('--help')).toMatchObject({ code: 0, out: expect.arrayContaining(['Options']) })
    expect(run('-v').out[0]).toMatch(/^\d+\.\d+\.\d+/)
  })
})
