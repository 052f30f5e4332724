import { Repeat } from '@escapement/core/plugin'
import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'

function repeated(work: (times: number) => number | Promise<number>) {
  const clock = new VirtualClock()
  const at: number[] = []
  const repeat = new Repeat(() => {
    at.push(clock.monotonic())
    return work(at.length)
  })
  return { clock, at, repeat }
}

test('each time waits for the one before, and for as long as that says', async () => {
  const { clock, at, repeat } = repeated(async (times) => {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 50))
    return times === 1 ? 200 : 1000
  })
  const from = clock.monotonic()
  repeat.start(clock, 100)
  await clock.advance(2500)
  expect(at.map((ms) => ms - from)).toEqual([100, 350, 1400, 2450])
  repeat.stop()
})

test('one that is stopped while it works does not go on, and one that is started again goes on once', async () => {
  const { clock, at, repeat } = repeated(async () => {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 50))
    return 100
  })
  repeat.start(clock, 100)
  await clock.advance(120)
  repeat.stop()
  await clock.advance(1000)
  expect(at).toHaveLength(1)
  repeat.start(clock, 100)
  await clock.advance(120)
  repeat.start(clock, 100)
  await clock.advance(120)
  expect(at).toHaveLength(3)
  repeat.stop()
  await clock.advance(1000)
  expect([at.length, clock.pending]).toEqual([3, 0])
})
