import { crypto } from './crypto.ts'

let isoAt = NaN
let isoText = ''

/** ISO 8601 in UTC. Many jobs are due at one instant: the last text is kept. */
export function iso(at: number): string {
  if (at !== isoAt) {
    isoText = new Date(at).toISOString()
    isoAt = at
  }
  return isoText
}

let idAt = NaN
let idStart = ''

/** UUID version 7 (RFC 9562). */
export function timeOrderedId(now: number): string {
  if (now !== idAt) {
    const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, '0')
    idStart = `${time.slice(0, 8)}-${time.slice(8)}-7`
    idAt = now
  }
  return idStart + crypto().randomUUID().slice(15)
}
