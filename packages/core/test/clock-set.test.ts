import { expect, test } from 'vitest'
import type { Host } from '../src/index.ts'
import { harness } from './harness.ts'

test('a clock that a plugin sets forward makes due what is due by it, at once', async () => {
  let host: Host | undefined
  const setup = (given: Host) => {
    host = given
  }
  const { clock, scheduler, log } = harness({ plugins: [{ name: 'clock', setup }] })
  scheduler.job('a', '30 * * * * *', () => {})
  await scheduler.start()
  await clock.advance(1000)
  host?.adjustClock(29_500)
  await clock.advance(10)
  expect(log).toEqual(['a succeeded 00:00:30'])
  await scheduler.stop()
})
