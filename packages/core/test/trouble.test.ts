import { every, type Plugin, type Store } from '@escapement/core'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const failing = (lines: { level: string; message: string | undefined }[]) =>
  lines.filter(({ level }) => level === 'error' || level === 'warn').map(({ message }) => message)

test.each([
  [
    'throws',
    (): void => {
      throw new Error('no space left on device')
    },
  ],
  ['rejects', () => Promise.reject(new Error('no space left on device'))],
])(
  'a store whose record() %s is reported once, is seen in health, and is reported when it works again',
  async (_, broken) => {
    let down = true
    const store: Store = { record: () => (down ? broken() : undefined), runs: () => [] }
    const { clock, scheduler, lines, log } = harness({ plugins: [{ name: 'store', store }] })
    const errors: string[] = []
    scheduler.on('error', (_error, { source }) => void errors.push(source))
    scheduler.job('a', every('1s'), () => {})
    await scheduler.start()
    expect(scheduler.health().degraded).toEqual([])
    await clock.advance('20s')
    expect(log).toHaveLength(20)
    expect(failing(lines)).toEqual(['store fails: no space left on device: runs are not kept'])
    expect(errors).toEqual(['store'])
    expect(scheduler.health()).toMatchObject({
      live: true,
      ready: true,
      degraded: ['store fails: no space left on device'],
    })
    down = false
    await clock.advance('20s')
    expect(failing(lines).slice(1)).toEqual(['store works again'])
    expect(scheduler.health().degraded).toEqual([])
  },
)

test('a store that fails now and then makes no two lines a run', async () => {
  let calls = 0
  const store: Store = {
    record: () => {
      if (calls++ % 2) throw new Error('now and then')
    },
    runs: () => [],
  }
  const { clock, scheduler, lines } = harness({ plugins: [{ name: 'store', store }] })
  scheduler.job('a', every('1s'), () => {})
  await scheduler.start()
  await clock.advance('3m')
  expect(failing(lines).length).toBeLessThanOrEqual(8)
  expect(failing(lines).length).toBeGreaterThanOrEqual(4)
})

test.each<[string, Partial<Store>]>([
  ['begin()', { begin: () => Promise.reject(new Error('broken')) }],
  [
    'jobs.decided()',
    {
      jobs: {
        enroll: (jobs) => jobs.map(() => ({ decided: undefined })),
        decided: () => {
          throw new Error('broken')
        },
      },
    },
  ],
])('a store whose %s fails at each tick is reported once', async (_, broken) => {
  const store: Store = { record: () => {}, runs: () => [], ...broken }
  const { clock, scheduler, lines, log } = harness({ plugins: [{ name: 'store', store }] })
  scheduler.job('a', every('1s'), () => {})
  await scheduler.start()
  await clock.advance('30s')
  expect(log).toHaveLength(30)
  expect(failing(lines).filter((line) => line?.includes('fails')).length).toBe(1)
})

test('what a lock and a store say of themselves is in health, whatever they say', async () => {
  const says = (trouble: () => unknown) => ({ trouble: trouble as () => string | undefined })
  const plugin: Plugin = {
    name: 'backend',
    lock: {
      claim: () => ({ granted: false, reason: 'overlap' }),
      ...says(() => 'redis://u:secret@h does\nnot answer'),
    },
    store: {
      record: () => {},
      runs: () => [],
      ...says(() => {
        throw new Error('oops')
      }),
    },
  }
  const { scheduler } = harness({ plugins: [plugin] })
  await scheduler.start()
  const { degraded, live, ready } = scheduler.health()
  expect(degraded).toEqual(['redis://u:***@h does\\nnot answer', 'trouble() threw: oops'])
  expect([live, ready]).toEqual([true, true])
})

test('a scheduler that cannot start lives, is not ready, and says why', async () => {
  const plugin: Plugin = { name: 'db', start: () => Promise.reject(new Error('connect ECONNREFUSED')) }
  const { scheduler } = harness({ plugins: [plugin] })
  await expect(scheduler.start()).rejects.toThrow('ECONNREFUSED')
  expect(scheduler.health()).toMatchObject({
    live: true,
    ready: false,
    degraded: ['the scheduler cannot start: connect ECONNREFUSED'],
  })
})

test.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('oops')
    },
  ],
  ['gives a promise', async () => true],
  ['gives a promise that rejects', () => Promise.reject(new Error('oops'))],
])('a blackout that %s is reported once, and the ticks run', async (_, blackout) => {
  const { clock, scheduler, lines, log } = harness()
  scheduler.job('a', every('1s'), { blackout: blackout as () => boolean }, () => {})
  await scheduler.start()
  await clock.advance('5s')
  expect(log.map((line) => line.slice(0, 11))).toEqual(Array(5).fill('a succeeded'))
  expect(failing(lines)).toEqual([
    expect.stringMatching(/^blackout of a fails: .*: ticks run as if there were none$/),
  ])
  expect(scheduler.health().degraded).toHaveLength(1)
})
