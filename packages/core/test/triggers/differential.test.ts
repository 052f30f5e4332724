import { CronExpressionParser } from 'cron-parser'
import { Cron } from 'croner'
import { describe, expect, it } from 'vitest'
import { cron } from '../../src/triggers/index.ts'

type Answer = string | (string | undefined)[]
type Peer = 'cron-parser' | 'croner'

const COUNT = 12

function answer(make: () => (after: Date) => Date | null | undefined, from: Date): Answer {
  try {
    const next = make()
    const found: (string | undefined)[] = []
    for (let at: Date | null | undefined = from; at && found.length < COUNT; ) {
      at = next(at)
      found.push(at?.toISOString())
    }
    return found
  } catch {
    return 'refused'
  }
}

const peers: Record<Peer, (expression: string, tz: string, from: Date) => Answer> = {
  'cron-parser': (expression, tz, from) =>
    answer(() => {
      const parsed = CronExpressionParser.parse(expression, { tz, currentDate: from })
      return () => parsed.next().toDate()
    }, from),
  croner: (expression, timezone, from) =>
    answer(() => {
      const parsed = new Cron(expression, { timezone, paused: true })
      return (after) => parsed.nextRun(after)
    }, from),
}

const ours = (expression: string, timezone: string, from: Date): Answer =>
  answer(() => {
    const trigger = cron(expression, { timezone })
    return (after) => trigger.next(after)
  }, from)

const all: [string, string][] = [
  ['UTC', '2025-01-01T00:00:00Z'],
  ['America/New_York', '2025-03-08T12:00:00Z'],
  ['America/New_York', '2025-11-01T12:00:00Z'],
  ['Australia/Lord_Howe', '2025-04-05T00:00:00Z'],
  ['Australia/Lord_Howe', '2025-10-04T00:00:00Z'],
]

// cron-parser gives up ("loop limit exceeded", after half a second) where a change of the clocks is half an hour.
const places: Record<Peer, [string, string][]> = {
  'cron-parser': all.filter(([zone]) => zone !== 'Australia/Lord_Howe'),
  croner: all,
}

const agreed = `* * * * *|*/5 * * * *|0 * * * *|0 0 * * *|0 9-17 * * MON-FRI|0 0 1,15 * *|0 0 13 * 5|0 0 L * *
0 0 * * 5L|0 0 * * MONL|0 0 * * FRI#3|0 0 29 2 *|0 0 31 * *|0 0 * * 0|0 0 * * 7|0 0 * * 1-7/2|0 0 ? * MON
*/10 * * * * *|30 0 0 1 1 *|@daily|@hourly|@weekly|@yearly|0 0 1-31 * 1|0 0 L * MON|0 1 * * *|59 23 * * SAT
0 0 * JAN,jul *|0 0 * * SUN-TUE|10 0 * 3-11/2 *|0 17-9 * * *|0 0 * * monday|0 0 W * *|0 0 * * 5#6|0 0 * * 1,L`

const walks = "it takes `*/2` in a day field for a restriction and ORs; we follow vixie's star rule and AND"
const noSuch = 'it does not know this part of the dialect'
const lax = 'it takes what we refuse as a slip'
const shifts =
  'it moves a time lost in the gap by the length of the gap; vixie runs it once right after the gap'
const wild = 'it treats a schedule with `*` as fixed-time; under vixie it follows elapsed time'

// Every other expression tried, and why a peer answers differently. Nothing else may differ.
const disagreements: [string, Partial<Record<Peer, string>>][] = [
  ['0 0 */2 * SUN', { 'cron-parser': walks, croner: walks }],
  ['0 0 15 * */2', { 'cron-parser': walks, croner: walks }],
  ['0 0 L-3 * *', { 'cron-parser': noSuch, croner: noSuch }],
  ['0 0 15W * *', { 'cron-parser': noSuch }],
  ['0 0 LW * *', { 'cron-parser': noSuch }],
  ['0 0 * * MON#1,WED#2', { 'cron-parser': noSuch }],
  ['0 0 * * 1/2', { croner: noSuch }],
  ['5/15 * * * *', { croner: noSuch }],
  ['0 0 0/6 * * *', { croner: noSuch }],
  ['0 22-2 * * *', { 'cron-parser': noSuch, croner: noSuch }],
  ['0 0 * * FRI-MON', { 'cron-parser': noSuch, croner: noSuch }],
  ['0 0 0 1 1 * 2030', { 'cron-parser': noSuch }],
  ['0 0 0 1 1 * 2026-2032/2', { 'cron-parser': noSuch }],
  ['@midnight', { 'cron-parser': noSuch }],
  ['@every 1h', { 'cron-parser': noSuch, croner: noSuch }],
  ['1-15/5,6 * * * *', { 'cron-parser': 'it refuses a value that a list gives twice' }],
  ['* * * *', { 'cron-parser': lax }],
  ['', { 'cron-parser': lax }],
  ['H * * * *', { 'cron-parser': 'without a seed it makes another schedule at every parse' }],
  ['? * * * *', { 'cron-parser': lax, croner: lax }],
  ['0 0 1 1 ? *', { 'cron-parser': lax, croner: lax }],
  ['*/90 * * * *', { 'cron-parser': 'it takes it as hourly; we refuse and point at @every 90m' }],
  ['0 0 30 2 *', { croner: 'it takes what can never fire; we refuse it at once' }],
  ['30 2 * * *', { 'cron-parser': shifts }],
  ['15,45 2 * * *', { 'cron-parser': shifts, croner: 'it drops, or moves by the gap, what vixie runs once' }],
  ['0 */2 * * *', { 'cron-parser': wild }],
  ['*/20 1 * * *', { 'cron-parser': wild }],
]

describe('against cron-parser and croner', () => {
  it.each(agreed.split(/[|\n]/))('%s: all agree', (expression) => {
    for (const peer of Object.keys(peers) as Peer[]) {
      for (const [zone, from] of places[peer]) {
        const mine = ours(expression, zone, new Date(from))
        expect([peer, zone, peers[peer](expression, zone, new Date(from))]).toEqual([peer, zone, mine])
      }
    }
  })

  it('cron-parser gives up on Lord Howe', () => {
    const [zone, from] = ['Australia/Lord_Howe', new Date('2025-04-05T00:00:00Z')]
    expect(peers['cron-parser']('0 1 * * *', zone, from)).toBe('refused')
    expect(ours('0 1 * * *', zone, from)).toHaveLength(COUNT)
  })

  it.each(disagreements)('%s: differs from %o', (expression, reasons) => {
    for (const peer of Object.keys(peers) as Peer[]) {
      const differs = places[peer].filter(([zone, from]) => {
        const mine = ours(expression, zone, new Date(from))
        return JSON.stringify(mine) !== JSON.stringify(peers[peer](expression, zone, new Date(from)))
      })
      expect([peer, differs.length > 0]).toEqual([peer, reasons[peer] !== undefined])
    }
  })
})
