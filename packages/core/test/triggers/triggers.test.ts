import { describe, expect, it } from 'vitest'
import { EscapementError } from '../../src/errors.ts'
import { Memo } from '../../src/triggers/cron/memo.ts'
import {
  after,
  anyOf,
  at,
  between,
  calendar,
  cron,
  every,
  except,
  explain,
  isManual,
  limit,
  manual,
  type TriggerSpec,
  toTrigger,
  upcoming,
} from '../../src/triggers/index.ts'

const utc = (text: string) => new Date(`${text.replace(' ', 'T')}Z`)

/** The next instants in UTC, shortened. */
function list(spec: TriggerSpec, from: string, count: number, timezone = 'UTC'): string[] {
  const trigger = toTrigger(spec, { timezone, seed: 'job' })
  const found: string[] = []
  for (let at = trigger.next(utc(from)); at && found.length < count; at = trigger.next(at)) {
    found.push(at.toISOString().slice(0, 19).replace('T', ' '))
  }
  return found
}

describe('every', () => {
  it('is aligned to the epoch, not to when it is asked', () => {
    expect(list(every('15m'), '2026-11-20 10:01:07', 2)).toEqual([
      '2026-11-20 10:15:00',
      '2026-11-20 10:30:00',
    ])
    expect(every('90s').next(new Date(0))).toEqual(new Date(90_000))
  })
  it('is strictly after', () => expect(every(250).next(new Date(1000))).toEqual(new Date(1250)))
  it('is moved by its phase, also a negative one', () => {
    expect(list(every('1d', { phase: '6h' }), '2026-11-20 10:00:00', 1)).toEqual(['2026-11-21 06:00:00'])
    expect(list(every('1h', { phase: -60_000 }), '2026-11-20 10:00:00', 1)).toEqual(['2026-11-20 10:59:00'])
  })
  it('works before the epoch', () => expect(every('1h').next(new Date(-1))).toEqual(new Date(0)))
  it('follows elapsed time', () =>
    expect(every('1h')).toMatchObject({ followsElapsedTime: true, expression: 'every 1h' }))
  it('refuses nothing and less', () => {
    for (const bad of [0, -5, Number.NaN, '10', '', 'soon', '10 m']) {
      expect(() => every(bad)).toThrow(expect.objectContaining({ code: 'ERR_ESCAPEMENT_DURATION' }))
    }
  })
})

describe('@every', () => {
  it('counts from the instant asked about', () => {
    expect(cron('@every 90m').next(utc('2026-11-20 10:01:07'))).toEqual(utc('2026-11-20 11:31:07'))
  })
  it('is aligned once it belongs to a job, so that instances agree', () => {
    for (const spec of ['@every 15m', cron('@every 15m', { timezone: 'UTC' })]) {
      expect(list(spec, '2026-11-20 10:01:07', 1)).toEqual(['2026-11-20 10:15:00'])
      expect(toTrigger(spec)).toMatchObject({ expression: '@every 15m', followsElapsedTime: true })
    }
  })
})

describe('at', () => {
  it('is due once', () =>
    expect(list(at(utc('2026-12-24 09:00:00')), '2026-01-01 00:00:00', 3)).toHaveLength(1))
  it('takes several, in any order', () => {
    expect(list(at(['2026-12-26T09:00:00Z', '2026-12-24T10:00:00+01:00']), '2026-01-01 00:00:00', 3)).toEqual(
      ['2026-12-24 09:00:00', '2026-12-26 09:00:00'],
    )
  })
  it('reads local times in its own zone, else in the default one', () => {
    const local = '2026-12-24 09:00'
    expect(list(at(local), '2026-01-01 00:00:00', 1, 'Asia/Shanghai')).toEqual(['2026-12-24 01:00:00'])
    const own = at(local, { timezone: 'Europe/Berlin' })
    expect(list(own, '2026-01-01 00:00:00', 1, 'Asia/Shanghai')).toEqual(['2026-12-24 08:00:00'])
  })
  it('a lost local time is the first instant after the gap, a repeated one the first', () => {
    const berlin = { timezone: 'Europe/Berlin' }
    expect(at('2026-03-29 02:30', berlin).next(new Date(0))).toEqual(utc('2026-03-29 01:00:00'))
    expect(at('2026-10-25 02:30', berlin).next(new Date(0))).toEqual(utc('2026-10-25 00:30:00'))
  })
  it('refuses what is no instant', () => {
    for (const bad of ['tomorrow', '2026-02-30 10:00', '2026-12-24T25:00', Number.NaN, {} as Date, []]) {
      expect(() => at(bad)).toThrow(expect.objectContaining({ code: 'ERR_ESCAPEMENT_TRIGGER' }))
    }
  })
})

describe('anyOf', () => {
  it('yields a shared instant once', () => {
    expect(list(anyOf('0 9 * * *', '0 9,10 * * *', every('1h')), '2026-11-20 08:30:00', 3)).toEqual([
      '2026-11-20 09:00:00',
      '2026-11-20 10:00:00',
      '2026-11-20 11:00:00',
    ])
  })
  it('an array is one', () => {
    expect(list(['0 9 * * *', '30 9 * * *'], '2026-11-20 08:30:00', 2)).toEqual([
      '2026-11-20 09:00:00',
      '2026-11-20 09:30:00',
    ])
  })
  it('follows elapsed time if all its parts are', () => {
    expect(anyOf('0 * * * *', every('1h')).followsElapsedTime).toBe(true)
    expect(anyOf('0 * * * *', '0 9 * * *').followsElapsedTime).toBe(false)
  })
})

describe('except and calendars', () => {
  const daily = '0 9 * * *'
  it('dates: single ones, ranges, every year, over the turn of the year', () => {
    const closed = { dates: ['2026-12-20', '2026-12-22..2026-12-23', '12-24..01-01', '01-03'] }
    expect(list(except(daily, closed), '2026-12-19 00:00:00', 4)).toEqual([
      '2026-12-19 09:00:00',
      '2026-12-21 09:00:00',
      '2027-01-02 09:00:00',
      '2027-01-04 09:00:00',
    ])
  })
  it('weekdays, as names and numbers', () => {
    for (const weekdays of [
      ['SAT', 'sun'],
      [6, 7],
      [6, 0],
    ]) {
      expect(list(except(daily, { weekdays }), '2026-11-20 00:00:00', 2)).toEqual([
        '2026-11-20 09:00:00',
        '2026-11-23 09:00:00',
      ])
    }
  })
  it('a daily window, over midnight too; its end is open', () => {
    expect(list(except('0 * * * *', { daily: '22:00-06:00' }), '2026-11-20 20:30:00', 3)).toEqual([
      '2026-11-20 21:00:00',
      '2026-11-21 06:00:00',
      '2026-11-21 07:00:00',
    ])
  })
  it('of several keys all must hold, of several calendars one', () => {
    const office = { weekdays: ['MON'], daily: '09:00-17:00' }
    expect(list(except('0 8,9 * * *', office, { weekdays: [2] }), '2026-11-22 23:00:00', 3)).toEqual([
      '2026-11-23 08:00:00',
      '2026-11-25 08:00:00',
      '2026-11-25 09:00:00',
    ])
  })
  it('windows that a trigger opens', () => {
    expect(list(except('*/30 * * * *', { opens: '0 2 * * *', for: '3h' }), '2026-11-20 01:20:00', 3)).toEqual(
      ['2026-11-20 01:30:00', '2026-11-20 05:00:00', '2026-11-20 05:30:00'],
    )
  })
  it('another trigger, and a function', () => {
    expect(list(except('0 * * * *', cron('0 10 * * *')), '2026-11-20 08:30:00', 2)).toEqual([
      '2026-11-20 09:00:00',
      '2026-11-20 11:00:00',
    ])
    const odd = except('0 * * * *', (instant) => instant.getUTCHours() % 2 === 1)
    expect(list(odd, '2026-11-20 08:30:00', 2)).toEqual(['2026-11-20 10:00:00', '2026-11-20 12:00:00'])
  })
  it('reads days in its own zone, else in the default one', () => {
    const hourly = '0 * * * *'
    expect(list(except(hourly, { weekdays: [6] }), '2026-11-20 15:30:00', 1, 'Asia/Shanghai')).toEqual([
      '2026-11-21 16:00:00',
    ])
    const own = { weekdays: [6], timezone: 'UTC' }
    expect(list(except(hourly, own), '2026-11-20 23:30:00', 1, 'Asia/Shanghai')).toEqual([
      '2026-11-22 00:00:00',
    ])
  })
  it('follows the clock through a repeated hour', () => {
    const trigger = except('*/15 * * * *', { daily: '02:15-04:00', timezone: 'Europe/Berlin' })
    expect(list(trigger, '2026-10-24 23:50:00', 5, 'Europe/Berlin')).toEqual([
      '2026-10-25 00:00:00',
      '2026-10-25 01:00:00',
      '2026-10-25 03:00:00',
      '2026-10-25 03:15:00',
      '2026-10-25 03:30:00',
    ])
  })
  it('skips a long stretch of a schedule by the second at once', () => {
    const trigger = toTrigger(except('* * * * * *', { dates: ['2026-01-01..2030-12-31'] }), {
      timezone: 'UTC',
    })
    expect(trigger.next(utc('2026-05-05 00:00:00'))).toEqual(utc('2031-01-01 00:00:00'))
  })
  it('ends when nothing is left', () => {
    expect(except(daily, { weekdays: [0, 1, 2, 3, 4, 5, 6] }).next(new Date(0))).toBeUndefined()
  })
  it('includes says what is in', () => {
    const night = calendar({ daily: '22:00-06:00', timezone: 'UTC' })
    expect([21, 22, 5, 6].map((hour) => night.includes(new Date(Date.UTC(2026, 0, 1, hour))))).toEqual([
      false,
      true,
      true,
      false,
    ])
  })
  it.each([
    [{}],
    [{ dates: ['2026-02-30'] }],
    [{ dates: ['2026-12-24..12-26'] }],
    [{ weekdays: ['Monday'] }],
    [{ weekdays: [8] }],
    [{ daily: '9:00-17:00' }],
    [{ daily: '09:00-24:30' }],
    [{ daily: '09:00-09:00' }],
    [{ for: '3h' }],
    [{ holidays: [] }],
    [5],
  ])('refuses %o', (bad) => {
    expect(() => except(daily, bad as never)).toThrow(EscapementError)
  })
})

describe('between', () => {
  it('includes its start and not its end', () => {
    const trigger = between('0 * * * *', '2026-11-20T10:00:00Z', '2026-11-20T12:00:00Z')
    expect(list(trigger, '2026-01-01 00:00:00', 9)).toEqual(['2026-11-20 10:00:00', '2026-11-20 11:00:00'])
  })
  it('has open ends', () => {
    expect(
      list(between('0 9 * * *', undefined, utc('2026-11-21 00:00:00')), '2026-11-19 10:00:00', 9),
    ).toHaveLength(1)
    expect(
      list(between('0 9 * * *', utc('2030-01-01 00:00:00'), undefined), '2026-11-19 10:00:00', 1),
    ).toEqual(['2030-01-01 09:00:00'])
  })
  it('reads local times in the default zone', () => {
    expect(
      list(between('0 0 * * *', '2026-12-01', '2026-12-02'), '2026-11-19 10:00:00', 9, 'Asia/Shanghai'),
    ).toEqual(['2026-11-30 16:00:00'])
  })
  it('refuses an end before the start', () => {
    expect(() => between('0 9 * * *', 5, 5)).toThrow(
      expect.objectContaining({ code: 'ERR_ESCAPEMENT_TRIGGER' }),
    )
  })
})

describe('limit', () => {
  it('counts from a given instant, whatever is asked and how often', () => {
    const trigger = limit('0 9 * * *', 2, { from: '2026-11-20T09:00:00Z' })
    for (let i = 0; i < 3; i++) {
      expect(list(trigger, '2026-11-01 00:00:00', 9)).toEqual(['2026-11-20 09:00:00', '2026-11-21 09:00:00'])
    }
    expect(list(trigger, '2026-11-20 10:00:00', 9)).toEqual(['2026-11-21 09:00:00'])
    expect(list(trigger, '2026-11-21 09:00:00', 9)).toEqual([])
  })
  it('ends with its trigger', () => {
    expect(list(limit(at('2026-12-24T09:00:00Z'), 5, { from: 0 }), '2026-11-01 00:00:00', 9)).toHaveLength(1)
  })
  it('refuses a count or start that makes no sense', () => {
    for (const count of [0, -1, 1.5, 1e9, Number.NaN])
      expect(() => limit('0 9 * * *', count, { from: 0 })).toThrow(EscapementError)
    expect(() => limit('0 9 * * *', 1, {} as never)).toThrow(EscapementError)
  })
})

describe('toTrigger', () => {
  it('gives the same object for the same string and defaults', () => {
    const defaults = { timezone: 'Europe/Berlin', seed: 'a' }
    expect(toTrigger('*/5 * * * *', defaults)).toBe(toTrigger('*/5 * * * *', { ...defaults, seed: 'b' }))
    expect(toTrigger('*/5 * * * *', defaults)).not.toBe(toTrigger('*/5 * * * *', { timezone: 'UTC' }))
    expect(cron('*/5 * * * *')).toBe(cron('*/5 * * * *'))
  })
  it('fills in the zone and the policy where they were left open, at any depth', () => {
    const open = '30 2 * * *'
    const from = '2026-03-28 12:00:00'
    const deep = limit(between(except(anyOf(open), { weekdays: [1] }), 0, undefined), 99, {
      from: '2026-03-01',
    })
    for (const spec of [open, cron(open), [open], anyOf(cron(open)), deep]) {
      const trigger = toTrigger(spec, { timezone: 'Europe/Berlin', dst: 'shift' })
      expect(trigger.next(utc(from))).toEqual(utc('2026-03-29 01:30:00'))
    }
    expect(toTrigger(cron(open, { timezone: 'UTC' }), { timezone: 'Europe/Berlin' }).timezone).toBe('UTC')
    expect(toTrigger(cron(open, { dst: 'skip' }), { timezone: 'Europe/Berlin', dst: 'shift' })).toMatchObject(
      {
        dst: 'skip',
        timezone: 'Europe/Berlin',
      },
    )
  })
  it('H takes the name of the job, also inside other triggers', () => {
    const of = (spec: TriggerSpec, seed: string) =>
      toTrigger(spec, { timezone: 'UTC', seed }).next(new Date(0))
    expect(of('H H * * *', 'a')).toEqual(of('H H * * *', 'a'))
    expect(of('H H * * *', 'a')).not.toEqual(of('H H * * *', 'b'))
    expect(of(anyOf('H H * * *'), 'a')).toEqual(of('H H * * *', 'a'))
    expect(of(cron('H H * * *', { seed: 'b' }), 'a')).toEqual(of('H H * * *', 'b'))
  })
  it('refuses what is no trigger', () => {
    for (const bad of [undefined, null, 5, {}, [], [5], () => {}]) {
      expect(() => toTrigger(bad as never)).toThrow(
        expect.objectContaining({ code: 'ERR_ESCAPEMENT_TRIGGER' }),
      )
    }
  })
  it('takes any object with next()', () => {
    const own = { next: () => undefined }
    expect(toTrigger(own)).toBe(own)
  })
})

describe('after another job', () => {
  it('has no instants to pick from', () => {
    const follower = after('build')
    for (const take of [
      () => except(follower, { weekdays: [6] }),
      () => between(follower, 0, undefined),
      () => limit(follower, 1, { from: 0 }),
    ]) {
      expect(take).toThrow(/expected a trigger with instants of its own, got "after build/)
    }
    expect(anyOf('0 9 * * *', follower).follows).toEqual([{ job: 'build', on: 'succeeded' }])
  })
})

describe('previews', () => {
  it('show a trigger as it is, and a string as a job would take it', () => {
    const from = utc('2026-11-20 10:01:07')
    const first = (spec: TriggerSpec) => [...upcoming(spec, { from, count: 1 })][0]?.at
    expect(first(cron('@every 15m'))).toEqual(utc('2026-11-20 10:16:07'))
    expect(first('@every 15m')).toEqual(utc('2026-11-20 10:15:00'))
  })
})

describe('Memo', () => {
  it('forgets what was not used for long, and only that', () => {
    const memo = new Memo<number>(2)
    let made = 0
    const get = (key: string) => memo.get(key, () => ++made)
    for (const key of ['a', 'b', 'a', 'c', 'a', 'd', 'a', 'e', 'a']) get(key)
    expect(made).toBe(5)
    expect([get('a'), get('b')]).toEqual([1, 6])
  })
})

describe('H', () => {
  const minutes = (expression: string, seed: string) => {
    const trigger = cron(expression, { timezone: 'UTC', seed })
    const found: number[] = []
    for (let at = trigger.next(new Date(-1)); at && at.getTime() < 3_600_000; at = trigger.next(at))
      found.push(at.getUTCMinutes())
    return found
  }
  it('is the same for ever', () => {
    // Written down once: a change of the hash would move everybody's jobs.
    expect([minutes('H * * * *', 'daily-report'), minutes('H * * * *', 'cleanup')]).toEqual([[0], [58]])
  })
  it('spreads', () => {
    const seen = new Set(Array.from({ length: 600 }, (_, i) => minutes('H * * * *', `job-${i}`)[0]))
    expect(seen.size).toBeGreaterThan(55)
  })
  it('keeps to its range and step', () => {
    for (let i = 0; i < 50; i++) {
      const [first = 99, ...rest] = minutes('H/15 * * * *', `job-${i}`)
      expect([first < 15, rest]).toEqual([true, [first + 15, first + 30, first + 45]])
      for (const minute of minutes('H(10-20)/5 * * * *', `job-${i}`))
        expect(minute >= 10 && minute <= 20).toBe(true)
    }
  })
  it('has a day in every month', () => {
    for (let i = 0; i < 100; i++) {
      const at = cron('0 0 H * *', { timezone: 'UTC', seed: `job-${i}` }).next(utc('2026-01-31 23:59:59'))
      expect(at?.getUTCMonth()).toBe(1)
    }
  })
  it('needs a seed', () => {
    expect(() => cron('H * * * *')).toThrow(/H needs a seed/)
  })
})

describe('manual', () => {
  it('is never due', () => {
    expect(manual().next(new Date())).toBeUndefined()
    expect([isManual(manual()), isManual(every('1h'))]).toEqual([true, false])
  })
})

describe('no trigger throws on odd instants', () => {
  const all = [
    cron('0 9 * * *'),
    cron('@every 1h'),
    every('1h'),
    at(0),
    anyOf('0 9 * * *'),
    between('0 9 * * *', 0, 1),
  ]
  it.each(all)('%o', (trigger) => {
    for (const ms of [Number.NaN, 8.64e15, -8.64e15, 8.64e15 - 1, -62_135_596_800_000]) {
      const next = trigger.next(new Date(ms))
      if (next) expect(next.getTime()).toBeGreaterThan(ms)
    }
  })
})

describe('explain', () => {
  const why = (spec: TriggerSpec, at: string) => explain(spec, utc(at), { timezone: 'UTC' }).reasons
  it('goes into the parts', () => {
    expect(why(except('0 9 * * *', { weekdays: ['FRI'] }), '2026-11-20 09:00:00')).toEqual([
      'all fields match',
      'it is excluded by the calendar FRI',
    ])
    expect(why(anyOf('0 9 * * *', at('2026-11-20T10:00:00Z')), '2026-11-20 10:00:00')).toEqual([
      '0 9 * * *: hour is 10; "9" allows 9',
      'at 2026-11-20T10:00:00.000Z: it is one of its instants',
    ])
    expect(why(between('0 9 * * *', '2026-12-01', undefined), '2026-11-20 09:00:00')).toEqual([
      'all fields match',
      'it is before the start, 2026-12-01T00:00:00.000Z',
    ])
    expect(why(limit('0 9 * * *', 1, { from: '2026-11-01' }), '2026-11-20 09:00:00')).toEqual([
      'all fields match',
      'the last of its 1 instants was 2026-11-01T09:00:00.000Z',
    ])
  })
})
