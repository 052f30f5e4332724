import type { Job } from '@escapement/core'
import { afterEach, expect, test, vi } from 'vitest'
import { Members, PATIENCE_MS } from '../src/members/members.ts'
import { RendezvousRank } from '../src/members/rendezvous-rank.ts'
import { MAX_JOBS } from '../src/members/roster.ts'

afterEach(() => void vi.unstubAllEnvs())

interface Made {
  readonly members: Members
  readonly lines: string[]
  readonly jobs: Record<string, string | undefined>
}

let now = 0
/** What an instance of an app knows of the others. */
function instance(
  self: string,
  jobs: Made['jobs'],
  more: { app?: string; lease?: number; shared?: boolean } = {},
): Made {
  vi.stubEnv('npm_package_name', more.app ?? '')
  const lines: string[] = []
  const log = {
    debug() {},
    info() {},
    warn: (_: unknown, line?: string) => void lines.push(line ?? ''),
    error() {},
  }
  const members = new Members({
    ...{ self, log, clock: { monotonic: () => now }, timezone: 'UTC' },
    ...{ lease: more.lease ?? 15_000, scan: 5000, shared: more.shared ?? true },
    jobs: () => Object.entries(jobs).map(([name, expression]) => ({ name, trigger: { expression } }) as Job),
  })
  return { members, lines, jobs }
}

/** What Redis answers to one of them about the others. */
function meet({ members }: Made, others: Record<string, Made>): boolean {
  const told = Object.entries(others).map(
    ([
      id,
      {
        members: { told },
      },
    ]) => {
      const same = told.head.endsWith(`|${members.digest(id)}`)
      return [id, { head: told.head, jobs: same ? '' : told.jobs }] as const
    },
  )
  return members.learn({ instances: Object.keys(others), told: new Map(told) })
}

/** Two that see each other for so many ms. */
function together(one: Made, two: Made, ms: number): void {
  meet(one, { two })
  now += ms
  meet(one, { two })
}

test('of a job that others do not have, an instance is the owner', () => {
  const one = instance('one', { mine: '* * * * *', ours: '* * * * *' })
  const others = { two: instance('two', { ours: '* * * * *' }), three: instance('three', {}) }
  const ranks = new RendezvousRank('one', (job) => one.members.lacking(job))
  const names = Array.from({ length: 50 }, (_, i) => `job-${i}`)
  ranks.instances = ['one', 'two', 'three']
  expect(names.some((name) => ranks.rank(name) > 0)).toBe(true)
  expect(meet(one, others)).toBe(true)
  ranks.renew()
  expect(names.every((name) => ranks.rank(name) === 0)).toBe(true)
  expect(one.members.lacking('ours')('two')).toBe(false)
  expect(one.members.lacking('ours')('three')).toBe(true)
  expect(meet(one, others)).toBe(false)
})

test('an instance that tells nothing, or what cannot be read, may have each job', () => {
  const { members, lines } = instance('one', { mine: '* * * * *' })
  const heads = ['', '2|new', '1|15000||abc', '1|x||abc', '1|3600001||abc', `1|15000|\u001b[31m|abc`]
  const told = new Map(heads.map((head, i) => [`other-${i}`, { head, jobs: i === 2 ? 'nonsense' : '' }]))
  members.learn({ instances: [...told.keys()], told })
  for (const id of told.keys()) expect(members.lacking('mine')(id)).toBe(false)
  expect(lines).toEqual([])
})

test('of too many jobs nothing is reported, and each instance may have each of them', () => {
  const many = Object.fromEntries(Array.from({ length: MAX_JOBS + 1 }, (_, i) => [`job-${i}`, '* * * * *']))
  const [one, two] = [instance('one', many), instance('two', many)]
  meet(one, { two })
  expect(one.members.told.jobs).toBe('')
  expect(one.members.lacking('job-0')('two')).toBe(false)
  delete many['job-0']
  one.members.renew()
  expect(one.members.told.jobs.length).toBe(1 + 12 * MAX_JOBS)
  const other = instance('other', { other: '* * * * *' })
  meet(other, { one })
  expect(other.members.lacking('job-1')('one')).toBe(false)
  expect(other.members.lacking('other')('one')).toBe(true)
})

test('a job with another schedule in an instance beside this one is reported once, when no deploy can be the reason', () => {
  const one = instance('one', { cleanup: '0 3 * * *', mine: '* * * * *', custom: undefined })
  const two = instance('two', { cleanup: '0 4 * * *', theirs: '* * * * *', custom: '1 * * * *' })
  together(one, two, PATIENCE_MS - 1)
  expect(one.lines).toEqual([])
  now += 1
  meet(one, { two })
  expect(one.lines).toHaveLength(1)
  expect(one.lines[0]).toMatch(/^redis-lock: two has cleanup with another schedule, .*namespace/)
  meet(one, { two, three: instance('three', two.jobs) })
  now += PATIENCE_MS
  meet(one, { two, three: instance('three', two.jobs) })
  expect(one.lines).toHaveLength(1)
})

test('a rolling deploy, in which each instance is replaced, is not told', () => {
  const one = instance('one', { cleanup: '0 3 * * *' })
  for (let i = 0; i < 10; i++) {
    meet(one, { [`old-${i}`]: instance(`old-${i}`, { cleanup: '0 4 * * *' }, { lease: 3000 }) })
    now += PATIENCE_MS / 2
  }
  expect(one.lines).toEqual([])
})

test('two apps in the default namespace are reported at once, also where the schedules are the same', () => {
  const jobs = { cleanup: '0 3 * * *' }
  const shop = instance('one', jobs, { app: 'shop' })
  meet(shop, { two: instance('two', jobs, { app: 'blog' }) })
  expect(shop.lines).toHaveLength(1)
  expect(shop.lines[0]).toMatch(/two of blog has cleanup too/)
  const own = instance('one', jobs, { app: 'shop', shared: false })
  together(own, instance('two', jobs, { app: 'blog', shared: false }), PATIENCE_MS)
  expect(own.lines).toEqual([])
})

test('another lease is reported once, when it lasts', () => {
  const one = instance('one', {})
  together(one, instance('two', {}, { lease: 3000 }), PATIENCE_MS)
  together(one, instance('two', {}, { lease: 3000 }), PATIENCE_MS)
  expect(one.lines).toHaveLength(1)
  expect(one.lines[0]).toMatch(/the lease is 15000 ms here and 3000 ms in two/)
})

test('jobs that are added later are reported', () => {
  const one = instance('one', { a: '* * * * *' })
  const two = instance('two', { a: '* * * * *' })
  meet(one, { two })
  two.jobs.b = '* * * * *'
  two.members.renew()
  expect(one.members.lacking('b')('two')).toBe(true)
  expect(meet(one, { two })).toBe(true)
  expect(one.members.lacking('b')('two')).toBe(false)
})

test('the longest lease of the fleet counts until it is over, also of an instance that has gone', () => {
  const one = instance('one', {})
  meet(one, { two: instance('two', {}, { lease: 3000 }), three: instance('three', {}, { lease: 60_000 }) })
  expect(one.members.longest).toBe(60_000)
  meet(one, {})
  now += 60_000
  expect(one.members.longest).toBe(60_000)
  now += 10_001
  expect(one.members.longest).toBe(15_000)
})
