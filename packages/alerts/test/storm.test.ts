import { expect, test } from 'vitest'
import { world } from './harness.ts'

test('10,000 failures of 200 jobs in a minute: two messages, every incident told, bounded memory', {
  timeout: 120_000,
}, async () => {
  const { clock, scheduler, plugin, mail } = world({ details: 50 })
  const names = Array.from({ length: 200 }, (_, i) => `job-${String(i).padStart(3, '0')}`)
  const huge = `${'ten thousand characters '.repeat(420)}<end>`
  const error = new Error(huge)
  let failures = 0
  let broken = true
  for (const name of names) {
    // 50 times in the first minute: from 12:00:01 to 12:00:50
    scheduler.job(name, '1-50 * 12 * * *', () => {
      if (!broken) return
      failures++
      throw error
    })
  }
  await scheduler.start()
  await clock.advance('59s')
  expect(failures).toBe(10_000)
  expect(plugin.incidents()).toHaveLength(200)
  // At most 50 of them keep a full error of 2,000 characters and a stack of 6,000.
  expect(JSON.stringify(plugin.incidents()).length).toBeLessThan(50 * 10_000 + 200 * 2_500)
  broken = false
  await clock.advance('5m')
  expect(mail.messages.map(({ notices }) => notices.length)).toEqual([200, 200])
  expect(mail.messages[0]?.notices.map(({ subject }) => subject).sort()).toEqual(names)
  expect(mail.messages[1]?.notices.every(({ status, count }) => status === 'recovered' && count === 50)).toBe(
    true,
  )
  expect(plugin.stats()).toEqual({ incidents: 0, waiting: 0, sent: 2, failed: 0, dropped: 0 })
})
