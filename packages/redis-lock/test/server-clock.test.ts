import { systemClock } from '@escapement/core'
import { expect, test } from 'vitest'
import { ServerClock } from '../src/connection/server-clock.ts'

function setup() {
  const time = { mono: 1000, wall: 50_000 }
  const clock = { ...systemClock, now: () => time.wall, monotonic: () => time.mono }
  const server = new ServerClock(clock)
  /** An answer that took `trip` ms, from a server whose clock shows `shows`. */
  const answer = (shows: number, trip = 2) => {
    const sent = time.mono
    time.mono += trip
    time.wall += trip
    return server.learn(sent, time.mono, shows)
  }
  return { time, server, answer }
}

test('it is known as exactly as the fastest answer tells', () => {
  const { time, server, answer } = setup()
  answer(70_100, 200)
  expect(Math.abs(server.now() - 70_200)).toBeLessThan(110)
  answer(70_201, 2)
  expect(Math.abs(server.now() - 70_202)).toBeLessThanOrEqual(2)
  const before = server.delta
  answer(70_350, 300)
  expect(server.delta).toBe(before)
  time.mono += 100
  expect(server.now()).toBe(time.mono + before)
})

test('a server whose clock is set is noticed, forth and back', () => {
  const { answer } = setup()
  expect(answer(70_000)).toBe(0)
  expect(Math.round(answer(80_000) / 100)).toBe(100)
  expect(Math.round(answer(70_004) / 100)).toBe(-100)
  expect(answer(70_006)).toBe(0)
})

test('a machine that slept is not taken for a server whose clock was set', () => {
  const { time, answer } = setup()
  answer(70_000)
  // While a machine sleeps, its monotonic clock stands still.
  time.wall += 60_000
  expect(answer(130_002)).toBe(0)
})

test('a machine whose own wall clock is set is not either', () => {
  const { time, answer } = setup()
  answer(70_000)
  time.wall += 3_600_000
  expect(answer(70_002)).toBe(0)
})

test('a machine that slept and whose wall clock was set meanwhile is no witness', () => {
  const { time, server, answer } = setup()
  answer(70_000)
  expect(server.sure).toBe(true)
  time.wall += 5_000 + 7_200_000
  expect(answer(75_002)).not.toBe(0)
  expect(server.sure).toBe(false)
  expect(answer(75_004)).toBe(0)
  time.mono += 6_000
  time.wall += 6_000
  expect(server.sure).toBe(true)
})

test('an answer that was under way while the machine slept makes no step of its own', () => {
  const { time, server, answer } = setup()
  answer(70_000)
  // Two answers of before the sleep are read after it.
  time.wall += 1_700
  expect(answer(70_002)).toBe(0)
  expect(answer(70_004)).toBe(0)
  expect(server.sure).toBe(false)
  expect(answer(71_706)).toBe(0)
  expect(answer(71_708)).toBe(0)
})
