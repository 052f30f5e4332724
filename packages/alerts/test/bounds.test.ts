import { type Host, manual, type Plugin } from '@escapement/core'
import { expect, test } from 'vitest'
import { world } from './harness.ts'

const bytesOf = (value: unknown) => JSON.stringify(value).length

test('jobs that come, fail and go while no channel takes a message: incidents have a bound, and the newest stay', async () => {
  const { scheduler, plugin, mail, run, lines, clock } = world({ after: 1, groupWait: 0 })
  mail.fail = () => Promise.reject(new Error('no network'))
  await scheduler.start()
  for (let i = 0; i < 10_300; i++) {
    const job = scheduler.job(`import/${i}`, manual(), () => {
      throw new Error('down')
    })
    await run(job.name)
    job.remove()
  }
  await clock.advance('2m')
  const open = plugin.incidents()
  expect(open.length).toBeLessThanOrEqual(10_000)
  expect(open.some(({ subject }) => subject === 'import/10299')).toBe(true)
  expect(open.some(({ kind }) => kind === 'channel-failed')).toBe(true)
  expect(plugin.stats().dropped).toBeGreaterThanOrEqual(300)
  const told = lines.filter(({ message }) => message?.includes('incidents'))
  expect(told.map(({ level }) => level)).toEqual(['warn'])
  const stopped = scheduler.stop()
  await clock.advance('30s')
  await stopped
})

test('the errors of all incidents together have a bound in bytes', async () => {
  const { scheduler, plugin, clock } = world({ after: 1, groupWait: '1h' })
  await scheduler.start()
  const error = new Error('x'.repeat(10_000))
  error.stack = 'at here '.repeat(10_000)
  for (let i = 0; i < 500; i++) {
    scheduler.job(`big/${i}`, manual(), { retry: { retries: 11, delay: 0 } }, () => {
      throw error
    })
  }
  for (let i = 0; i < 500; i++) void scheduler.run(`big/${i}`)
  await clock.advance('1m')
  expect(plugin.stats().incidents).toBe(500)
  expect(bytesOf(plugin.incidents())).toBeLessThan(20_000_000)
  await scheduler.stop()
})

test('a run that was lost with its job is reported once', async () => {
  let host: Host | undefined
  const fleet: Plugin = {
    name: 'fleet',
    setup(given) {
      host = given
    },
  }
  const { scheduler, mail, clock } = world({ groupWait: 0, repeat: '1h' }, { plugins: [fleet] })
  await scheduler.start()
  const scheduledAt = new Date('2026-11-20T11:00:00Z')
  host?.abandon({ id: 'gone@2026-11-20T11:00:00.000Z', job: 'gone', scheduledAt }, { instance: 'web-9' })
  await clock.advance('1d')
  expect(mail.lines).toEqual(['12:00:00 abandoned gone open ×1 #0'])
  await scheduler.stop()
})
