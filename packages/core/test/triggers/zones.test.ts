import { describe, expect, it } from 'vitest'
import { zone } from '../../src/triggers/cron/zone.ts'
import { cron } from '../../src/triggers/index.ts'
import { offsetOf, sample, walk } from './reference.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

function instants(expression: string, timezone: string, from: number, to: number): number[] {
  const trigger = cron(expression, { timezone })
  const found: number[] = []
  for (let at = trigger.next(new Date(from)); at && at.getTime() <= to; at = trigger.next(at))
    found.push(at.getTime())
  return found
}

// Each with the days around something odd. The walk over all zones and ten years is bench/triggers/zones.ts.
const odd: [string, string][] = [
  ['Australia/Lord_Howe', '2025-04-05'],
  ['Australia/Lord_Howe', '2025-10-04'],
  ['Pacific/Apia', '2011-12-29'],
  ['Africa/Casablanca', '2025-02-22'],
  ['Africa/Casablanca', '2025-04-05'],
  ['Antarctica/Troll', '2025-03-29'],
  ['Antarctica/Troll', '2025-10-25'],
  ['Antarctica/Casey', '2020-10-03'],
  ['Antarctica/Casey', '2010-03-04'],
  ['America/New_York', '2025-03-08'],
  ['America/New_York', '2025-11-01'],
  ['America/Sao_Paulo', '2018-11-03'],
  ['America/Sao_Paulo', '2018-02-17'],
  ['Asia/Tehran', '2022-03-21'],
  ['Asia/Amman', '2018-03-29'],
  ['America/Havana', '2025-11-01'],
  ['Pacific/Chatham', '2025-09-27'],
  ['America/Argentina/Tucuman', '2004-05-31'],
  ['America/Caracas', '2016-04-30'],
  ['Asia/Pyongyang', '2015-08-14'],
  ['Europe/Dublin', '1971-10-30'],
  ['Pacific/Kwajalein', '1993-08-20'],
  ['America/St_Johns', '1987-10-24'],
  ['Europe/London', '2129-03-26'],
]
const expressions = [
  '30 2 * * *',
  '*/20 * * * *',
  '15,45 0-3 * * *',
  '0 */2 * * *',
  '10 1 * * SUN,6',
  '59 23 L,1-5 * *',
]

describe('zones', () => {
  it.each(odd)('%s around %s: as a walk minute by minute', (timezone, day) => {
    const from = Date.parse(`${day}T00:00:00Z`)
    const offsets = sample(timezone, from, from + 2 * DAY, MINUTE)
    for (const expression of expressions) {
      expect([expression, ...instants(expression, timezone, from, from + 2 * DAY)]).toEqual([
        expression,
        ...walk(expression, offsets, from, MINUTE),
      ])
    }
  })

  it('local mean time has seconds', () => {
    const from = Date.parse('1883-11-17T00:00:00Z')
    const found = instants('0 0 12 * * *', 'America/New_York', from, from + 3 * DAY)
    expect(found.map((at) => new Date(at).toISOString())).toEqual([
      '1883-11-17T16:56:02.000Z',
      '1883-11-18T16:56:02.000Z',
      '1883-11-19T17:00:00.000Z',
    ])
    const noon = Date.parse('1883-11-18T16:00:00Z')
    const offsets = sample('America/New_York', noon, noon + 1.5 * HOUR, 1000)
    const near = '0 */5 11-12 * * *'
    expect(instants(near, 'America/New_York', noon, noon + 1.5 * HOUR)).toEqual(
      walk(near, offsets, noon, 1000),
    )
  })

  it('offsets are those of Intl, from 1700 to 2500', () => {
    let state = 7
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
    for (const name of new Set(odd.map(([timezone]) => timezone))) {
      for (let i = 0; i < 300; i++) {
        const at =
          Math.floor((Date.UTC(1700, 0) + random() * (Date.UTC(2500, 0) - Date.UTC(1700, 0))) / 1000) * 1000
        expect([name, at, zone(name)?.at(at).offset]).toEqual([name, at, offsetOf(name, at)])
      }
    }
  })

  it('a zone is shared, also between its spellings', () => {
    expect(zone('utc')).toBe(zone('UTC'))
    expect(zone('europe/berlin')).toBe(zone('Europe/Berlin'))
    expect(zone('Mars/Olympus')).toBeUndefined()
  })
})
