import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EscapementError } from '../../src/errors.ts'
import { type CronTrigger, cron, type Dst } from '../../src/triggers/index.ts'
import { cases } from './cases.ts'
import { offsetOf, reference, sample, walk } from './reference.ts'

// FUZZ=20 npx vitest run … for a long search.
const runs = Number(process.env.FUZZ ?? 1)
const timeout = 60_000 * runs
const MINUTE = 60_000
const DAY = 86_400_000
const zones = [
  'UTC',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Tehran',
  'Africa/Casablanca',
  'Pacific/Apia',
]
const policies: Dst[] = ['vixie', 'skip', 'shift']

const whole = (min: number, max: number) => fc.integer({ min, max }).map(String)
const name = (names: string) => fc.constantFrom(...names.split(' '))
const item = (value: fc.Arbitrary<string>, steps: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    { weight: 3, arbitrary: value },
    { weight: 2, arbitrary: fc.tuple(value, value).map(([a, b]) => `${a}-${b}`) },
    { weight: 1, arbitrary: fc.tuple(value, value, whole(1, steps)).map(([a, b, n]) => `${a}-${b}/${n}`) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('*'), whole(1, steps)).map(([a, n]) => `${a}/${n}`) },
    { weight: 1, arbitrary: fc.tuple(value, whole(1, steps)).map(([a, n]) => `${a}/${n}`) },
  )
const list = (one: fc.Arbitrary<string>) =>
  fc.array(one, { minLength: 1, maxLength: 3 }).map((all) => all.join(','))
const weekday = fc.oneof(whole(0, 7), name('SUN MON tue Wed THU FRI SAT'))
const date = fc.oneof(
  { weight: 4, arbitrary: item(whole(1, 31), 31) },
  { weight: 1, arbitrary: name('L LW L-3 L-29 L-2W 1W 15W 31W l-0w 30w') },
)
const day = fc.oneof(
  { weight: 4, arbitrary: item(weekday, 7) },
  { weight: 1, arbitrary: fc.tuple(weekday, name('L #1 #3 #5')).map(([a, b]) => a + b) },
)
const fields = fc.tuple(
  list(item(whole(0, 59), 60)),
  list(item(whole(0, 59), 60)),
  list(item(whole(0, 23), 24)),
  fc.oneof({ weight: 5, arbitrary: list(date) }, { weight: 1, arbitrary: fc.constant('?') }),
  list(item(fc.oneof(whole(1, 12), name('JAN feb DEC')), 12)),
  fc.oneof({ weight: 5, arbitrary: list(day) }, { weight: 1, arbitrary: fc.constant('?') }),
  item(whole(1970, 2199), 50),
)
const valid = fc.tuple(fields, fc.integer({ min: 5, max: 7 })).map(([all, count]) => {
  return (count === 5 ? all.slice(1, 6) : all.slice(0, count)).join(' ')
})
const mutated = fc
  .tuple(
    fc.oneof(valid, fc.constantFrom(...cases.map((one) => one.expr))),
    fc.array(fc.tuple(fc.nat(40), fc.constantFrom(...'*,-/?LWH#@() 059a\t\n\u0000é'), fc.boolean()), {
      maxLength: 4,
    }),
  )
  .map(([text, changes]) => {
    return changes.reduce((s, [at, c, drop]) => s.slice(0, at) + c + s.slice(drop ? at + 1 : at), text)
  })
const instant = fc.integer({ min: Date.UTC(1850, 0), max: Date.UTC(2300, 0) }).map((ms) => new Date(ms))

/** The trigger, or undefined if the expression was refused, which must be with one of our errors, and quickly. */
function tryCron(expression: string, timezone: string, dst: Dst): CronTrigger | undefined {
  try {
    return cron(expression, { timezone, dst, seed: 'fuzz' })
  } catch (error) {
    expect(error).toBeInstanceOf(EscapementError)
    return undefined
  }
}

/** Under 50 ms on the processor. A garbage collection may fall into one call, but not into three. */
function timed<T>(call: () => T): T {
  for (let attempt = 1; ; attempt++) {
    const start = process.cpuUsage()
    const result = call()
    const ms = process.cpuUsage(start).user / 1000
    if (attempt === 3) expect(ms).toBeLessThan(50)
    if (ms < 50) return result
  }
}

/** The next match in UTC, day by day and second by second. */
function bruteForce(expression: string, after: number, days: number): number | undefined {
  const { matches, matchesDay } = reference(expression)
  for (let day = Math.floor(after / DAY); day <= Math.floor(after / DAY) + days; day++) {
    if (!matchesDay(new Date(day * DAY))) continue
    const first = Math.max(day * DAY, Math.floor(after / 1000) * 1000 + 1000)
    for (let at = first; at < (day + 1) * DAY; at += 1000) if (matches(new Date(at))) return at
  }
  return undefined
}

describe('fuzz', () => {
  it(
    'any text: a coded error or strictly increasing instants, never slow',
    () => {
      // The first use of each zone is the platform's time, not ours.
      for (const zone of zones) cron('* * * * *', { timezone: zone }).next(new Date(0))
      const anything = fc.oneof(mutated, valid, fc.string(), fc.string({ unit: 'binary' }))
      fc.assert(
        fc.property(
          anything,
          fc.constantFrom(...zones),
          fc.constantFrom(...policies),
          instant,
          (text, zone, dst, from) => {
            const trigger = timed(() => tryCron(text, zone, dst))
            let at: Date | undefined = from
            for (let i = 0; i < 5 && trigger && at; i++) {
              const before: Date = at
              at = timed(() => trigger.next(before))
              if (at) expect(at.getTime()).toBeGreaterThan(before.getTime())
            }
          },
        ),
        { numRuns: 1000 * runs },
      )
    },
    timeout,
  )

  it(
    'UTC: every answer is that of a search second by second',
    () => {
      fc.assert(
        fc.property(valid, instant, (text, from) => {
          const trigger = tryCron(text, 'UTC', 'vixie')
          if (!trigger) return
          const next = trigger.next(from)?.getTime()
          const expected = bruteForce(text, from.getTime(), 800)
          if (expected !== undefined || (next ?? Infinity) < from.getTime() + 800 * DAY) {
            expect([text, from, next]).toEqual([text, from, expected])
          }
        }),
        { numRuns: 150 * runs },
      )
    },
    timeout,
  )

  it(
    'other zones: every answer is that of a walk minute by minute, around changes of the clocks too',
    () => {
      const changes = [
        '2025-03-09T06:00Z',
        '2025-11-02T05:00Z',
        '2025-04-05T14:30Z',
        '2025-10-04T15:00Z',
        '2022-03-21T20:00Z',
      ]
      const place = fc.tuple(fc.constantFrom(...zones.slice(1)), fc.constantFrom(...changes), fc.nat(600))
      fc.assert(
        fc.property(fields, place, ([, ...parts], [zone, change, earlier]) => {
          const text = parts.slice(0, 5).join(' ')
          const trigger = tryCron(text, zone, 'vixie')
          if (!trigger) return
          const from = Date.parse(change) - earlier * MINUTE
          const to = from + 15 * 60 * MINUTE
          const found: number[] = []
          for (let at = trigger.next(new Date(from)); at && at.getTime() <= to; at = trigger.next(at))
            found.push(at.getTime())
          const offsets = sample(zone, from, to, MINUTE)
          // Minutes before the walk may have been shown already: leave out what is repeated from before it.
          const expected = walk(text, offsets, from, MINUTE)
          if (offsetOf(zone, from) === offsetOf(zone, from - 3 * 60 * MINUTE)) {
            expect([text, zone, new Date(from), found]).toEqual([text, zone, new Date(from), expected])
          }
        }),
        { numRuns: 40 * runs },
      )
    },
    timeout,
  )

  it(
    'asking from any instant before an answer gives the same answer',
    () => {
      fc.assert(
        fc.property(
          valid,
          fc.constantFrom(...zones),
          fc.constantFrom(...policies),
          instant,
          fc.double({ min: 0, max: 1, noNaN: true }),
          (text, zone, dst, from, part) => {
            const trigger = tryCron(text, zone, dst)
            const next = trigger?.next(from)
            if (!trigger || !next) return
            const between = Math.floor(from.getTime() + part * (next.getTime() - 1 - from.getTime()))
            trigger.next(new Date(0))
            expect(trigger.next(new Date(between))).toEqual(next)
          },
        ),
        { numRuns: 500 * runs },
      )
    },
    timeout,
  )
})
