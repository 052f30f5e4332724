import { every } from '@escapement/core'
import { type Fault, type Played, type SimulatedJob, simulate } from '@escapement/testing'
import { expect, test } from 'vitest'

const FROM = Date.parse('2026-01-01T00:00:00Z')
const TO = FROM + 3 * 86_400_000
const MINUTE = 60_000

/** Always the same sequence of numbers from 0 to 1 (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Restarts and blocks at random moments, the first ones soon. */
function faults(next: () => number): Fault[] {
  const all: Fault[] = []
  const pause = () => Math.floor(next() ** 3 * 20 * 60 * MINUTE)
  for (let at = FROM + pause(); at < TO; at += pause()) {
    const length = Math.floor(next() ** 4 * 10 * 60 * MINUTE)
    if (at + length >= TO) break
    all.push({ at: new Date(at), ...(next() < 0.7 ? { down: length } : { block: length }) })
    at += length
  }
  return all
}

/** How often each tick was decided: by a record of its own, or one that stands for many. */
function decisions(played: readonly Played[], ticks: readonly number[]): number[] {
  return ticks.map(
    (tick) =>
      played.filter(
        ({ scheduledAt, until }) => scheduledAt === tick || (scheduledAt < tick && tick <= (until ?? 0)),
      ).length,
  )
}

const period = 7 * MINUTE
const ticks: number[] = []
for (let at = Math.floor(FROM / period) * period + period; at <= TO - 60 * MINUTE; at += period)
  ticks.push(at)

test.each([
  ['latest', {}],
  ['skip', {}],
  ['all', { catchUpWindow: '30d' }],
  ['all', { catchUpWindow: '1h' }],
  ['latest', { catchUpWindow: '10m' }],
] as [SimulatedJob['missed'] & string, Partial<SimulatedJob>][])(
  'whenever the process dies, each tick is decided once: missed %s, %j',
  async (missed, options) => {
    for (let seed = 1; seed <= 12; seed++) {
      const played = await simulate({
        jobs: { job: { trigger: every(period), missed, ...options } },
        from: new Date(FROM),
        to: new Date(TO),
        faults: faults(random(seed)),
      })
      const counts = decisions(played, ticks)
      expect(
        counts.findIndex((count) => count !== 1),
        `seed ${seed}`,
      ).toBe(-1)
      if (options.catchUpWindow === '30d') {
        expect(played.filter(({ outcome }) => outcome !== 'succeeded')).toEqual([])
        expect(played.map(({ scheduledAt }) => scheduledAt)).toEqual(
          played.map(({ scheduledAt }) => scheduledAt).toSorted((a, b) => a - b),
        )
      }
      if (missed === 'latest' && !options.catchUpWindow) {
        // The newest of those that were missed runs at once.
        for (const { until, at } of played.filter((one) => one.until !== undefined)) {
          const newest = played.find(({ scheduledAt }) => scheduledAt > (until as number))
          expect(newest).toMatchObject({ outcome: 'succeeded', at })
        }
      }
      for (const { outcome, scheduledAt, at } of played) {
        if (outcome === 'succeeded') expect(at).toBeGreaterThanOrEqual(scheduledAt)
        if (outcome === 'succeeded' && options.catchUpWindow === '10m')
          expect(at - scheduledAt).toBeLessThanOrEqual(10 * MINUTE)
      }
    }
  },
  60_000,
)
