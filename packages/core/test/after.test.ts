import { after, every, manual } from '@escapement/core'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

test('a job runs after another, with its tick and its result', async () => {
  const { clock, scheduler, runs } = harness()
  scheduler.job('build', every('10s'), () => ({ file: 'report.html' }))
  scheduler.job('publish', after('build'), (run) => run.parent?.result)
  await scheduler.start()
  await clock.advance('10s')
  expect(runs).toHaveLength(2)
  expect(runs[1]).toMatchObject({
    cause: 'after',
    result: { file: 'report.html' },
    key: 'publish@2026-01-01T00:00:10.000Z',
  })
  expect(runs[1]?.parent).toBe(runs[0])
})

test.each([
  ['succeeded', ['ok succeeded']],
  ['failed', ['bad failed']],
  ['settled', ['ok succeeded', 'bad failed']],
] as const)('on: %s', async (on, expected) => {
  const { scheduler } = harness()
  const seen: string[] = []
  scheduler.job('ok', manual(), () => {})
  scheduler.job('bad', manual(), () => Promise.reject(new Error('no')))
  scheduler.job('next', [after('ok', { on }), after('bad', { on })], (run) => {
    seen.push(`${run.parent?.job.name} ${run.parent?.outcome}`)
  })
  await scheduler.run('ok', undefined, { wait: true })
  await scheduler.run('bad', undefined, { wait: true })
  expect(seen).toEqual(expected)
})

test('a tick that did not run lets nobody go', async () => {
  const { clock, scheduler, log } = harness()
  scheduler.job('a', every('1s'), { paused: true }, () => {})
  scheduler.job('b', after('a', { on: 'settled' }), () => {})
  await scheduler.start()
  await clock.advance('1s')
  expect(log).toEqual(['a skipped:paused 00:00:01'])
})

test('what would follow while stopping is written down as skipped', async () => {
  const { clock, scheduler, log } = harness()
  scheduler.job('a', every('1s'), () => new Promise<void>((resolve) => clock.setTimeout(resolve, 500)))
  scheduler.job('b', after('a'), () => {})
  await scheduler.start()
  await clock.advance('1s')
  const stopped = scheduler.stop()
  await clock.advance('1s')
  await stopped
  expect(log).toEqual(['a succeeded 00:00:01', 'b skipped:shutdown 00:00:01'])
})

test('circles and unknown names are refused at start', async () => {
  const circle = harness().scheduler
  circle.job('a', after('c'), () => {})
  circle.job('b', after('a'), () => {})
  circle.job('c', [after('b'), every('1h')], () => {})
  await expect(circle.start()).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_CYCLE',
    message: 'jobs must not wait for themselves: "a" after "c" after "b" after "a"',
  })
  const unknown = harness().scheduler
  unknown.job('report', manual(), () => {})
  unknown.job('b', after('reprot'), () => {})
  await expect(unknown.start()).rejects.toThrow('did you mean "report"?')
})
