import { expect, test } from 'vitest'
import { delay, RendezvousRank } from '../src/members/rendezvous-rank.ts'

const fleet = Array.from({ length: 10 }, (_, i) => `web-${i}:4711/a${i}`)
const jobs = Array.from({ length: 2000 }, (_, i) => `job-${i}`)
const lines = new Map<string, RendezvousRank>()
/** The place of an instance among others. */
function rank(self: string, ids: string[], job: string): number {
  const key = [self, ...ids].join()
  const ranks = lines.get(key) ?? new RendezvousRank(self)
  lines.set(key, ranks)
  ranks.instances = ids
  return ranks.rank(job)
}
const ownerOf = (ids: string[], job: string) => ids.filter((id) => rank(id, ids, job) === 0)

test('each job has one owner, and a line behind it without gaps', () => {
  for (const job of jobs.slice(0, 200)) {
    const ranks = fleet.map((id) => rank(id, fleet, job)).sort((a, b) => a - b)
    expect(ranks).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  }
})

test('the jobs are spread over the instances', () => {
  const counts = new Map<string, number>()
  for (const job of jobs) {
    const [owner = ''] = ownerOf(fleet, job)
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  for (const id of fleet) {
    expect(counts.get(id)).toBeGreaterThan(130)
    expect(counts.get(id)).toBeLessThan(280)
  }
})

test('who joins takes its share and nothing else moves; who leaves gives up its own only', () => {
  const joined = [...fleet, 'web-10:4711/aa']
  const moved = jobs.filter((job) => ownerOf(fleet, job)[0] !== ownerOf(joined, job)[0])
  expect(moved.every((job) => ownerOf(joined, job)[0] === 'web-10:4711/aa')).toBe(true)
  expect(moved.length / jobs.length).toBeGreaterThan(0.05)
  expect(moved.length / jobs.length).toBeLessThan(0.14)
})

test.each([
  [0, 60_000, 0, 0],
  [1, 60_000, 150, 150],
  [2, 60_000, 200, 249],
  [9, 60_000, 200, 249],
  [1, 1000, 150, 150],
  [1, 200, 30, 30],
  [2, 200, 40, 50],
  [1, Infinity, 150, 150],
])('rank %d of a job each %d ms waits %d to %d ms', (place, period, from, to) => {
  const waits = fleet.map((id) => delay(place, period, new RendezvousRank(id).spread))
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(from)
  expect(Math.max(...waits)).toBeLessThanOrEqual(to)
  if (place > 1 && period > 1000) expect(new Set(waits).size).toBeGreaterThan(5)
})

test('the line is drawn up anew when instances come and go', () => {
  const job = jobs.find((name) => rank('a', ['a', 'b'], name) === 1) as string
  const ranks = new RendezvousRank('a')
  expect(ranks.rank(job)).toBe(0)
  ranks.instances = ['a', 'b']
  expect(ranks.rank(job)).toBe(1)
  ranks.instances = ['a']
  expect(ranks.rank(job)).toBe(0)
})

test('when votes take long, an owner is given longer, but not for ever', () => {
  const waits = [0, 10, 50, 100, 10_000].map((latency) => delay(1, 60_000, 0, latency))
  expect(waits).toEqual([150, 170, 250, 350, 400])
  expect(delay(1, 500, 0, 10_000)).toBe(200)
  expect(delay(2, 60_000, 0, 50)).toBe(500)
  expect(delay(2, 60_000, 0, 10_000)).toBe(800)
  expect(delay(0, 60_000, 0, 10_000)).toBe(0)
})
