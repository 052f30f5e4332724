import { expect, it } from 'vitest'
import { EscapementError } from '../../src/errors.ts'
import { cron, type Dst } from '../../src/triggers/index.ts'
import { type Change, changesOf, dueAround } from './changes.ts'
import { offsetOf } from './reference.ts'

// CHANGES=200000 npx vitest run … for the large number.
const draws = Number(process.env.CHANGES ?? 800)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const from2024 = Date.UTC(2024, 0, 1)
const to2029 = Date.UTC(2029, 0, 1)

/** Those with rules of their own, then others from all over the world. */
const zones = `America/New_York Europe/Berlin Europe/London Europe/Dublin Australia/Lord_Howe Australia/Sydney
  Africa/Casablanca Africa/El_Aaiun Africa/Cairo Asia/Gaza Asia/Hebron Asia/Jerusalem Asia/Beirut Asia/Nicosia
  America/Havana America/Santiago America/Asuncion America/Nuuk America/Scoresbysund America/St_Johns
  America/Halifax America/Chicago America/Denver America/Los_Angeles America/Anchorage America/Adak
  America/Mexico_City America/Tijuana America/Port-au-Prince America/Miquelon Atlantic/Bermuda Atlantic/Azores
  Atlantic/Madeira Atlantic/Faroe Europe/Lisbon Europe/Paris Europe/Kyiv Europe/Chisinau Europe/Helsinki
  Europe/Istanbul Pacific/Auckland Pacific/Chatham Pacific/Norfolk Pacific/Easter Asia/Almaty Asia/Qostanay
  Antarctica/Troll Antarctica/Casey Antarctica/Vostok Australia/Adelaide America/Coyhaique`.split(/\s+/)

/** Numbers from 0 up to, but not including, 1; the same for the same seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** An expression that is likely to be due near a change of the clocks. */
function draw(next: () => number, { at, before, after }: Change): string {
  const whole = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  const pick = <T>(...choices: T[]) => choices[whole(0, choices.length - 1)] as T
  const local = new Date(at + pick(before, after) + whole(-90, 90) * MINUTE)
  const item = (near: number, min: number, max: number): string => {
    const a = next() < 0.6 ? near : whole(min, max)
    const b = whole(min, max)
    const step = whole(1, max - min + 1)
    return pick(
      '*',
      `${a}`,
      `${a}`,
      `${a}-${b}`,
      `${a}-${b}/${step}`,
      `*/${step}`,
      `${a}/${step}`,
      `${a},${b}`,
    )
  }
  const [day, weekday] = [local.getUTCDate(), local.getUTCDay()]
  const last = new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 0)).getUTCDate()
  const date = pick('*', '*', '?', item(day, 1, 31), `${day}`, `${day}W`, 'L', `L-${last - day}`, 'LW')
  const week = pick(
    '*',
    '*',
    '?',
    item(weekday, 0, 7),
    `${weekday}`,
    `${weekday}L`,
    `${weekday}#${Math.ceil(day / 7)}`,
  )
  const month = pick('*', '*', `${local.getUTCMonth() + 1}`, item(local.getUTCMonth() + 1, 1, 12))
  const plain = [
    item(local.getUTCMinutes(), 0, 59),
    item(local.getUTCHours(), 0, 23),
    date,
    month,
    week,
  ].join(' ')
  return next() < 0.8 ? plain : `${pick('0', '0', '*/60')} ${plain} ${pick('*', `${local.getUTCFullYear()}`)}`
}

it(
  'around all changes of the clocks from 2024 to 2028, asked from anywhere, the answers are those of a walk',
  () => {
    const next = random(Number(process.env.SEED ?? 20261126))
    const changes = zones.flatMap((zone) => changesOf(zone, from2024, to2029))
    expect(changes.length).toBeGreaterThan(400)
    let asked = 0
    let due = 0
    for (let i = 0; asked < draws; i++) {
      const change = changes[i % changes.length] as Change
      const expression = draw(next, change)
      const dst = (['vixie', 'skip', 'shift'] as Dst[])[Math.floor(next() * 3)] as Dst
      let trigger: ReturnType<typeof cron>
      try {
        trigger = cron(expression, { timezone: change.zone, dst })
      } catch (error) {
        expect(error).toBeInstanceOf(EscapementError)
        continue
      }
      asked++
      // Far from the change, shortly before it, in the first pass, in the second.
      const from = change.at + Math.round((next() * 2 - 1) * (next() < 0.3 ? 20 * HOUR : 2 * HOUR))
      const to = change.at + (next() < 0.1 ? 4 * DAY : 5 * HOUR)
      const found: number[] = []
      for (let at = trigger.next(new Date(from)); at && at.getTime() <= to; at = trigger.next(at))
        found.push(at.getTime())
      const expected = dueAround(expression, dst, change, from, to)
      due += expected.length > 0 ? 1 : 0
      if (`${found}` !== `${expected}`)
        expect([expression, dst, change.zone, new Date(from).toISOString(), iso(found)]).toEqual([
          expression,
          dst,
          change.zone,
          new Date(from).toISOString(),
          iso(expected),
        ])
    }
    // Most of what is drawn must be due, or nothing is proved.
    expect(due / asked).toBeGreaterThan(0.3)
  },
  20_000 + draws * 20,
)

function iso(instants: number[]): string {
  return instants.map((at) => new Date(at).toISOString()).join(' ')
}

it('a second pass is not lost when the match after it is days away', () => {
  const trigger = cron('*/15 1 * * SUN', { timezone: 'America/New_York' })
  const asked = (from: string) => trigger.next(new Date(from))?.toISOString()
  expect(offsetOf('America/New_York', Date.parse('2026-11-01T05:59:00Z'))).toBe(-4 * HOUR)
  expect(asked('2026-11-01T05:45:00Z')).toBe('2026-11-01T06:00:00.000Z')
  expect(asked('2026-11-01T05:50:00Z')).toBe('2026-11-01T06:00:00.000Z')
  expect(asked('2026-11-01T06:45:00Z')).toBe('2026-11-08T06:00:00.000Z')
  const last = cron('0 */15 1 1 11 * 2026', { timezone: 'America/New_York' })
  expect(last.next(new Date('2026-11-01T05:45:00Z'))?.toISOString()).toBe('2026-11-01T06:00:00.000Z')
  expect(last.next(new Date('2026-11-01T06:45:00Z'))).toBeUndefined()
})
