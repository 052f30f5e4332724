// Every zone of this Node, ten years, five expressions, both ways: our instants against a walk minute by minute.
// node bench/triggers/zones.mjs [first year] [zone …]   (after `npm run build`; about ten minutes for all)
// The walk shares nothing with the engine: Intl's offsets, hour by hour and minute by minute where they change,
// and the expressions as plain predicates.
import { cron } from '@escapement/core'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const YEARS = 10

const lastDay = (y, m) => new Date(Date.UTC(y, m, 0)).getUTCDate()
const cases = [
  { expression: '30 2 * * *', time: (h, m) => h === 2 && m === 30, day: () => true },
  { expression: '*/20 * * * *', followsElapsedTime: true, time: (_, m) => m % 20 === 0, day: () => true },
  { expression: '15,45 0-3 * * *', time: (h, m) => h <= 3 && (m === 15 || m === 45), day: () => true },
  {
    expression: '1 0 * * SUN,5',
    time: (h, m) => h === 0 && m === 1,
    day: (date) => [0, 5].includes(date.getUTCDay()),
  },
  {
    expression: '59 */3 L,1-7 * MON',
    followsElapsedTime: true,
    time: (h, m) => h % 3 === 0 && m === 59,
    day: (date) => {
      const [y, m, d] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
      return d <= 7 || d === lastDay(y, m) || date.getUTCDay() === 1
    },
  },
]

function offsets(timeZone) {
  const numeric = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }
  const format = new Intl.DateTimeFormat('en', { timeZone, hourCycle: 'h23', ...numeric })
  return (at) => {
    const [month, day, year, hour, minute, second] = format.format(at).match(/\d+/g).map(Number)
    return Date.UTC(year, month - 1, day, hour, minute, second) - at
  }
}

/** [start, end, offset] in whole minutes, found by asking for every hour and, where it changed, every minute. */
function stretches(zone, from, to) {
  const offsetAt = offsets(zone)
  const found = []
  let start = from
  let offset = offsetAt(from)
  for (let at = from; at < to; at += HOUR) {
    if (offsetAt(at + HOUR) === offset) continue
    for (let minute = at + MINUTE; minute <= at + HOUR; minute += MINUTE) {
      const now = offsetAt(minute)
      if (now === offset) continue
      found.push([start, minute, offset])
      start = minute
      offset = now
    }
  }
  found.push([start, to, offset])
  return found
}

/** Each local day and minute of the day is asked once. */
function matcher({ time, day }) {
  const times = Uint8Array.from({ length: 1440 }, (_, i) => (time(Math.floor(i / 60), i % 60) ? 1 : 0))
  let midnight = Number.NaN
  let today = false
  return (local) => {
    let inDay = local - midnight
    if (!(inDay >= 0 && inDay < 24 * HOUR)) {
      midnight = Math.floor(local / (24 * HOUR)) * 24 * HOUR
      inDay = local - midnight
      today = day(new Date(midnight))
    }
    return today && times[inDay / MINUTE] === 1
  }
}

function check(zone, from, to) {
  const known = stretches(zone, from, to)
  for (const one of cases) {
    const matches = matcher(one)
    const trigger = cron(one.expression, { timezone: zone })
    let next = trigger.next(new Date(from - 1))?.getTime()
    // The latest local time the clocks have shown: what is not after it is a repetition.
    let shown = Number.NEGATIVE_INFINITY
    let before = known[0][2]
    for (const [start, end, offset] of known) {
      const gap = offset - before
      for (let at = start; at < end; at += MINUTE) {
        const local = at + offset
        let due = (one.followsElapsedTime || local > shown) && matches(local)
        if (at === start && gap > 0 && gap < 3 * HOUR && !one.followsElapsedTime) {
          for (let lost = local - gap; lost < local; lost += MINUTE) due ||= lost > shown && matches(lost)
        }
        if (due !== (next === at)) {
          const text = (ms) => (ms === undefined ? 'nothing' : new Date(ms).toISOString())
          return `${zone} ${one.expression}: the walk says ${due ? 'due' : 'not due'} at ${text(at)}, we say ${text(next)}`
        }
        if (due) next = trigger.next(new Date(at))?.getTime()
        if (local > shown) shown = local
      }
      before = offset
    }
  }
  return undefined
}

const first = Number(process.argv[2] ?? 2020)
const zones = process.argv.length > 3 ? process.argv.slice(3) : Intl.supportedValuesOf('timeZone')
const started = performance.now()
const wrong = []
for (const [i, zone] of zones.entries()) {
  const problem = check(zone, Date.UTC(first, 0), Date.UTC(first + YEARS, 0))
  if (problem) wrong.push(problem)
  if (problem) console.log(problem)
  if ((i + 1) % 50 === 0) console.log(`${i + 1} of ${zones.length} zones`)
}
const seconds = ((performance.now() - started) / 1000).toFixed(0)
console.log(
  `${zones.length} zones, ${first}–${first + YEARS - 1}, ${cases.length} expressions: ${wrong.length} zones differ (Node ${process.version}, ${seconds} s)`,
)
process.exitCode = wrong.length > 0 ? 1 : 0
