import { crypto } from './crypto.ts'

let isoAt = NaN
let isoText = ''

/** ISO 8601 in UTC. Many jobs are due at one instant: the last text is kept. */
function iso(at: number): string {
  if (at !== isoAt) {
    isoText = new Date(at).toISOString()
    isoAt = at
  }
  return isoText
}

/** `job@2026-11-20T01:00:00.000Z`; `…Z~2` for an instant that the clock shows for the second time. */
export function tickId(job: string, at: number, fold: number): string {
  const id = `${job}@${iso(at)}`
  return fold > 0 ? `${id}~${fold + 1}` : id
}

/** How often the clock had been set back over the instant of the tick of this id. */
export function foldOf(tickId: string): number {
  return Number(/Z~(\d{1,6})$/.exec(tickId)?.[1] ?? 1) - 1
}

let made = 0

/** Numbers the runs of this process; after 2^30 it begins again. */
export function serial(): number {
  return made++ & 0x3fffffff
}

let idAt = NaN
let idHigh = NaN
let idStart = ''
let unique = ''

/**
 * UUID version 7 (RFC 9562): the time in ms, a counter of 24 bits, and a random number that tells processes
 * apart. The same for the same time and counter.
 */
export function timeOrderedId(now: number, count: number): string {
  const high = (count >> 12) & 0xfff
  if (now !== idAt || high !== idHigh) {
    unique ||= crypto().randomUUID()
    const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, '0')
    idStart = `${time.slice(0, 8)}-${time.slice(8)}-7${hex(high)}-${unique[19]}`
    idAt = now
    idHigh = high
  }
  return idStart + hex(count & 0xfff) + unique.slice(23)
}

/** Three digits. */
function hex(value: number): string {
  return (0x1000 + value).toString(16).slice(1)
}
