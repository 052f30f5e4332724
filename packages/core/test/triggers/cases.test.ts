import { describe, expect, it } from 'vitest'
import { EscapementError } from '../../src/errors.ts'
import { cron, type Dst } from '../../src/triggers/index.ts'
import { type Case, cases, holds } from './cases.ts'

function check({ expr, tz, from, fires, ends, notAt, error, valid, never }: Case, dst: Dst): void {
  if (error) {
    expect(() => cron(expr, { timezone: tz, dst })).toThrow(EscapementError)
    return
  }
  if (never) {
    let next: Date | undefined
    try {
      next = cron(expr, { timezone: tz, dst }).next(new Date(from))
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'ERR_ESCAPEMENT_TRIGGER' })
    }
    expect(next).toBeUndefined()
    return
  }
  const trigger = cron(expr, { timezone: tz, dst })
  const found: (string | undefined)[] = []
  let at: Date | undefined = new Date(from)
  const count = (fires?.length ?? 1) + (ends ? 1 : 0)
  for (let i = 0; i < count && at; i++) {
    at = trigger.next(at)
    found.push(at?.toISOString())
  }
  if (fires)
    expect(found).toEqual([...fires.map((one) => new Date(one).toISOString()), ...(ends ? [undefined] : [])])
  if (notAt) expect(found[0]).not.toBe(new Date(notAt).toISOString())
  if (valid) expect(found[0]).toBeDefined()
}

const ours = cases.filter((one) => holds(one.dialect))

describe('the cron cases of our dialect', () => {
  it('are all there', () => expect(ours.length).toBe(719))
  it.each(ours)('$id $expr $tz', (one) => check(one, 'vixie'))
})

const dstCases = cases.filter((one) => one.cat.startsWith('dst-'))
const followsElapsedTime = (expr: string) => {
  const fields = expr.split(/\s+/)
  return fields.slice(0, fields.length - 3).some((field) => field.startsWith('*')) || /^@hourly/i.test(expr)
}
const rest = ['unix', 'start-step', 'wrap-range', 'l-nw', 'lw-lowercase']

// 'skip' is dst-ocps, with both passes of a repeated hour for wildcard schedules.
const skip = dstCases.filter(
  (one) =>
    holds(one.dialect, ['dst-ocps', ...rest]) &&
    !(one.cat === 'dst-overlap' && followsElapsedTime(one.expr) && !holds(one.dialect, rest)),
)
describe("dst: 'skip'", () => {
  it('has cases of its own', () =>
    expect(skip.filter((one) => !holds(one.dialect, rest)).length).toBeGreaterThan(10))
  it.each(skip)('$id $expr $tz', (one) => check(one, 'skip'))
})

// 'shift' is dst-shift-wild: dst-shift for fixed times, the clock for wildcard schedules.
const shift = dstCases.filter(
  (one) =>
    holds(one.dialect, ['dst-shift-wild', ...rest]) ||
    (holds(one.dialect, ['dst-shift']) && !followsElapsedTime(one.expr)),
)
describe("dst: 'shift'", () => {
  it('has cases of its own', () =>
    expect(shift.filter((one) => !holds(one.dialect, rest)).length).toBeGreaterThan(20))
  it.each(shift)('$id $expr $tz', (one) => check(one, 'shift'))
})
