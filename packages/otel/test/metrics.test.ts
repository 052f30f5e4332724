import { every, type Lock, manual } from '@escapement/core'
import { otel } from '@escapement/otel'
import type { Histogram, MetricData } from '@opentelemetry/sdk-metrics'
import { afterEach, expect, test } from 'vitest'
import { harness, registerMeters, unregister } from './tracing.ts'

afterEach(unregister)

const points = (metric: MetricData | undefined) =>
  metric?.dataPoints.map(({ attributes, value }) => [attributes, (value as Histogram).sum ?? value]) ?? []

test('runs: durations by outcome, delays, those under way, skips by reason, misses', async () => {
  const meters = registerMeters()
  const { clock, scheduler } = harness({ plugins: [otel()] })
  const work = (ms: number) => new Promise<void>((resolve) => clock.setTimeout(resolve, ms))
  scheduler.job('good', every('10s'), () => work(2500))
  scheduler.job('bad', manual(), async () => {
    await work(500)
    throw new RangeError('no')
  })
  scheduler.job('long', every('10s'), () => work(14_000))
  scheduler.job('late', every('1s'), () => {})
  await scheduler.start()
  await clock.block('3s')
  await clock.advance('7s')
  await scheduler.run('bad')
  await clock.advance('1s')

  const during = await meters.read()
  expect(points(during['job.run.active'])).toEqual([
    [{ 'job.name': 'good' }, 1],
    [{ 'job.name': 'bad' }, 0],
    [{ 'job.name': 'long' }, 1],
    [{ 'job.name': 'late' }, 0],
  ])
  await clock.advance('9s')
  await clock.advance('9s')

  const { 'job.run.duration': duration, 'job.run.delay': delay, ...rest } = await meters.read()
  expect(duration?.descriptor).toMatchObject({ unit: 's' })
  expect(points(duration)).toEqual(
    expect.arrayContaining([
      [{ 'job.name': 'good', 'job.outcome': 'succeeded' }, 5],
      [{ 'job.name': 'bad', 'job.outcome': 'failed', 'error.type': 'RangeError' }, 0.5],
      [{ 'job.name': 'long', 'job.outcome': 'succeeded' }, 14],
    ]),
  )
  const buckets = duration?.dataPoints[0]?.value as Histogram
  expect(buckets.buckets.boundaries).toEqual([
    0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600,
  ])
  expect(points(delay)).toEqual(
    expect.arrayContaining([
      [{ 'job.name': 'good' }, 0],
      [{ 'job.name': 'long' }, 0],
    ]),
  )
  expect(delay?.dataPoints.map(({ attributes }) => attributes['job.name'])).not.toContain('bad')
  expect(points(rest['job.run.skipped'])).toEqual([[{ 'job.name': 'long', 'job.skip.reason': 'overlap' }, 1]])
  expect(points(rest['job.run.missed'])).toEqual([[{ 'job.name': 'late' }, 2]])
})

test('a tick that another instance took is a skip, not a run', async () => {
  const meters = registerMeters()
  const lock: Lock = { claim: async () => ({ granted: false, reason: 'claimed-elsewhere' }) }
  const { clock, scheduler } = harness({ plugins: [otel(), { name: 'lock', lock }] })
  scheduler.job('a', every('1s'), () => {})
  await scheduler.start()
  await clock.advance('3s')
  const read = await meters.read()
  expect(points(read['job.run.skipped'])).toEqual([
    [{ 'job.name': 'a', 'job.skip.reason': 'claimed-elsewhere' }, 3],
  ])
  expect(points(read['job.run.duration'])).toEqual([])
})

test('after a stop nothing is under way, after another start it is again', async () => {
  const meters = registerMeters()
  const { scheduler } = harness({ plugins: [otel()] })
  scheduler.job('a', manual(), () => {})
  await scheduler.start()
  await scheduler.stop()
  expect(points((await meters.read())['job.run.active'])).toEqual([])
  await scheduler.start()
  expect(points((await meters.read())['job.run.active'])).toEqual([[{ 'job.name': 'a' }, 0]])
})

test('none, when not wanted', async () => {
  const meters = registerMeters()
  const { scheduler } = harness({ plugins: [otel({ metrics: false })] })
  scheduler.job('a', manual(), () => {})
  await scheduler.start()
  await scheduler.run('a', undefined, { wait: true })
  expect(await meters.read()).toEqual({})
})
