import { createScheduler, manual } from '@escapement/core'
import { awaitRuns, StallClock, VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'

test('a virtual clock lets time pass until a promise settles, and no longer', async () => {
  const clock = new VirtualClock()
  const began = clock.monotonic()
  const later = (ms: number) => new Promise<number>((resolve) => clock.setTimeout(() => resolve(ms), ms))
  expect(await clock.until(later(5000))).toBe(5000)
  expect(clock.monotonic() - began).toBe(5000)
  await expect(clock.until(later(5000), '1s')).rejects.toThrow('not settled within 1s')
  const failing = later(1).then(() => Promise.reject(new Error('no')))
  await expect(clock.until(failing)).rejects.toThrow('no')
})

test('awaitRuns resolves with the runs asked for, and fails when they do not come', async () => {
  const scheduler = createScheduler({ logger: { debug() {}, info() {}, warn() {}, error() {} } })
  scheduler.job('good', manual(), () => {})
  scheduler.job('bad', manual(), () => {
    throw new Error('bad')
  })
  const failed = awaitRuns(scheduler, { event: 'failed' })
  const both = awaitRuns(scheduler, { count: 2 })
  const good = awaitRuns(scheduler, { job: 'good' })
  const never = awaitRuns(scheduler, { event: 'missed', timeout: 1 })
  await scheduler.run('bad', undefined, { wait: true })
  await scheduler.run('good', undefined, { wait: true })
  expect((await failed).map(({ job }) => job.name)).toEqual(['bad'])
  expect((await both).map(({ job }) => job.name)).toEqual(['bad', 'good'])
  expect((await good).map(({ outcome }) => outcome)).toEqual(['succeeded'])
  await expect(never).rejects.toThrow('expected 1 × missed within 1 ms, saw none')
})

test('a clock that stalls holds its timers back, in order, but not its time', async () => {
  const clock = new StallClock()
  const called: string[] = []
  clock.stall()
  const before = clock.monotonic()
  clock.setTimeout(() => called.push('first'), 1)
  const cleared = clock.setTimeout(() => called.push('cleared'), 2)
  clock.setTimeout(() => called.push('second'), 3)
  await new Promise((resolve) => setTimeout(resolve, 10))
  clock.clearTimeout(cleared)
  expect(called).toEqual([])
  expect(clock.monotonic()).toBeGreaterThan(before)
  clock.resume()
  expect(called).toEqual(['first', 'second'])
})
