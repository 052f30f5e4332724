import type { Claim, Lock, Refusal } from '@escapement/core'
import { expect, test } from 'vitest'
import { world } from './harness.ts'

const fine: Claim = {
  granted: true,
  held: () => true,
  onLost: () => () => {},
  complete: async () => {},
  release: async () => {},
}

function locked(answer: { now: Claim | Refusal }) {
  const lock: Lock = { claim: async () => answer.now }
  return { name: 'lock', lock }
}

test('a tick that was missed for good is reported; the next one that starts ends it', async () => {
  const { clock, scheduler, mail } = world({ groupInterval: 0 })
  scheduler.job('hourly', '0 * * * *', { missed: 'skip' }, () => {})
  await scheduler.start()
  await clock.advance('59m')
  await clock.block('5m')
  await clock.advance('1m')
  expect(mail.lines).toEqual(['13:04:30 missed hourly open ×1 #0'])
  expect(mail.messages[0]?.notices[0]).toMatchObject({ severity: 'warning', run: { outcome: 'missed' } })
  await clock.advance('1h')
  expect(mail.lines.slice(1)).toEqual(['14:00:00 missed hourly recovered ×1 #1'])
})

test('a lock out of reach is reported as missed, until some instance runs the job', async () => {
  const answer: { now: Claim | Refusal } = { now: { granted: false, reason: 'claim-unavailable' } }
  const { clock, scheduler, mail } = world({ groupInterval: 0 }, { plugins: [locked(answer)] })
  scheduler.job('minutely', '* * * * *', () => {})
  await scheduler.start()
  await clock.advance('3m')
  expect(mail.lines).toEqual(['12:01:30 missed minutely open ×1 #0'])
  expect(mail.messages[0]?.notices[0]?.run).toMatchObject({ outcome: 'skipped', reason: 'claim-unavailable' })
  answer.now = { granted: false, reason: 'claimed-elsewhere' }
  await clock.advance('1m')
  expect(mail.lines[1]).toBe('12:04:00 missed minutely recovered ×3 #1')
  answer.now = fine
  await clock.advance('1h')
  expect(mail.lines).toHaveLength(2)
})

test('a tick that waits too long for a place is missed when its grace is over, and recovers when it starts', async () => {
  const { clock, scheduler, mail } = world({ groupWait: 0, groupInterval: 0 }, { concurrency: 1 })
  let finish: () => void = () => {}
  scheduler.job('long', '1 12 * * *', () => new Promise<void>((resolve) => (finish = resolve)))
  scheduler.job('waits', '2 * * * *', () => {})
  scheduler.job('often', '*/4 * * * *', () => {})
  await scheduler.start()
  await clock.advance('10m')
  expect(mail.lines).toEqual([
    // Half of its four minutes.
    expect.stringMatching(/^12:06:\d\d missed often open ×1 #0$/),
    expect.stringMatching(/^12:07:\d\d missed waits open ×1 #0$/),
  ])
  expect(mail.messages[1]?.notices[0]?.detail).toBe(
    'the tick of 2026-11-20T12:02:00.000Z was not started within 300 s',
  )
  finish()
  await clock.advance('1s')
  expect(
    mail.messages
      .slice(2)
      .flatMap(({ notices }) => notices.map((n) => `${n.subject} ${n.status}`))
      .sort(),
  ).toEqual(['often recovered', 'waits recovered'])
})

test('ticks that are skipped for a run that waits itself do not hide that it waits', async () => {
  const { clock, scheduler, mail } = world({ groupWait: 0 }, { concurrency: 1 })
  scheduler.job('long', '1 12 * * *', () => new Promise<void>(() => {}))
  scheduler.job('often', '*/5 * * * * *', () => {})
  await scheduler.start()
  await clock.advance('90s')
  expect(mail.lines).toEqual([expect.stringMatching(/^12:01:\d\d missed often open ×1 #0$/)])
})

test('what runs on time, is skipped, paused or claimed elsewhere is not missed', async () => {
  const answer: { now: Claim | Refusal } = { now: { granted: false, reason: 'claimed-elsewhere' } }
  const { clock, scheduler, plugin, mail } = world({}, { plugins: [locked(answer)] })
  scheduler.job('elsewhere', '*/2 * * * *', () => {})
  scheduler.job('paused', '*/2 * * * *', { paused: true }, () => {})
  scheduler.job('blackout', '*/2 * * * *', { blackout: () => true }, () => {})
  scheduler.job('every-second', '* * * * * *', () => {})
  await scheduler.start()
  await clock.advance('5m')
  answer.now = fine
  let finish: () => void = () => {}
  scheduler.job('long', '*/2 * * * *', () => new Promise<void>((resolve) => (finish = resolve)))
  await clock.advance('12m')
  finish()
  expect(mail.lines).toEqual([])
  expect(plugin.incidents()).toEqual([])
})

test('grace is a setting, and a job that is switched off is not watched', async () => {
  const { clock, scheduler, mail } = world(
    { groupWait: 0, grace: '1m', rules: [{ match: { job: 'off' }, enabled: false }] },
    { concurrency: 1 },
  )
  scheduler.job('long', '1 12 * * *', () => new Promise<void>(() => {}))
  scheduler.job('waits', '2 * * * *', () => {})
  scheduler.job('off', '2 * * * *', () => {})
  await scheduler.start()
  await clock.advance('4m')
  expect(mail.lines).toEqual([expect.stringMatching(/^12:03:\d\d missed waits open ×1 #0$/)])
})

test('a slow run is reported while it is under way, its end as recovery', async () => {
  const { clock, scheduler, mail } = world({ groupInterval: 0 })
  let finish: () => void = () => {}
  scheduler.job(
    'sync',
    '1 * * * *',
    { slow: '10m', overlap: 'skip' },
    () => new Promise<void>((resolve) => (finish = resolve)),
  )
  await scheduler.start()
  await clock.advance('20m')
  expect(mail.lines).toEqual([expect.stringMatching(/^12:11:\d\d slow sync open ×1 #0$/)])
  expect(mail.messages[0]?.notices[0]?.run?.duration).toBeGreaterThanOrEqual(600_000)
  finish()
  await clock.advance('1m')
  expect(mail.lines[1]).toBe('12:20:00 slow sync recovered ×1 #1')
})

test('a timed-out run is a failed one; a removed job ends its incidents', async () => {
  const { clock, scheduler, plugin, mail } = world({ groupInterval: 0 })
  const job = scheduler.job('hangs', '1 * * * *', { timeout: '10s' }, () => new Promise(() => {}))
  await scheduler.start()
  await clock.advance('5m')
  expect(mail.lines).toEqual(['12:01:42 failed hangs open ×1 #0'])
  expect(mail.messages[0]?.notices[0]).toMatchObject({
    run: { outcome: 'timed-out' },
    errors: [{ code: 'ERR_ESCAPEMENT_TIMEOUT' }],
  })
  job.remove()
  await clock.advance('1m')
  expect(mail.lines[1]).toMatch(/failed hangs recovered/)
  expect(plugin.stats().incidents).toBe(0)
})

test('a lost lease and an abandoned run are reported', async () => {
  let lose: (reason: Error) => void = () => {}
  const claim: Claim = {
    ...fine,
    onLost: (callback) => {
      lose = callback
      return () => {}
    },
  }
  const { clock, scheduler, mail } = world(
    { groupWait: 0, groupInterval: 0 },
    { plugins: [locked({ now: claim })] },
  )
  let finish: () => void = () => {}
  scheduler.job(
    'sync',
    '1 * * * *',
    (run) =>
      new Promise<void>((resolve, reject) => {
        finish = resolve
        run.signal.addEventListener('abort', () => reject(run.signal.reason))
      }),
  )
  await scheduler.start()
  await clock.advance('2m')
  const { EscapementError } = await import('@escapement/core')
  lose(new EscapementError('ERR_ESCAPEMENT_LEASE_LOST', 'the lease was lost'))
  await clock.advance('1s')
  expect(mail.lines).toEqual(['12:02:00 lease-lost sync open ×1 #0'])
  await clock.advance('1h')
  finish()
  await clock.advance('1m')
  expect(mail.lines.at(-1)).toMatch(/lease-lost sync recovered ×1 #1/)
})
