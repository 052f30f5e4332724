import { expect, test } from 'vitest'
import { world } from './harness.ts'

test('a failure is reported after the group wait, its recovery too, in one thread', async () => {
  const { clock, scheduler, plugin, mail, run, flaky } = world({ groupInterval: 0 })
  const report = flaky('report', {
    owner: 'data team',
    runbook: 'https://wiki/report',
    description: 'Builds it',
  })
  await scheduler.start()
  await run('report')
  await clock.advance('29s')
  expect(mail.lines).toEqual([])
  await clock.advance('1s')
  expect(mail.lines).toEqual(['12:00:30 failed report open ×1 #0'])
  const [first] = mail.messages
  expect(first?.notices[0]).toMatchObject({
    severity: 'error',
    job: { owner: 'data team', runbook: 'https://wiki/report', description: 'Builds it', timezone: 'UTC' },
    run: { outcome: 'failed', attempts: 1, instance: 'web-1' },
    errors: [{ attempt: 1, name: 'Error', message: 'report broke' }],
  })
  report.broken = false
  await run('report')
  await clock.advance('1s')
  expect(mail.lines[1]).toBe('12:00:30 failed report recovered ×1 #1')
  expect(mail.messages[1]?.thread).toEqual({ id: first?.id, incidents: 1, kind: 'failed', subject: 'report' })
  expect(plugin.stats()).toEqual({ incidents: 0, waiting: 0, sent: 2, failed: 0, dropped: 0 })
  await scheduler.stop()
  expect(mail.closed).toBe(1)
})
