import { type Calendar, calendar, createScheduler, cron } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { describe, expect, test } from 'vitest'
import { alerts, type Message } from '../src/index.ts'
import { recorder, world } from './harness.ts'

const at = (message: Message | undefined) => message?.at.toISOString().slice(11, 19)

describe('thresholds', () => {
  test('after: told from the N-th failure in a row; a success in between begins anew', async () => {
    const { clock, scheduler, mail, run, flaky } = world({ after: 3, groupWait: 0 })
    const job = flaky('report')
    await scheduler.start()
    await run('report')
    await run('report')
    job.broken = false
    await run('report')
    job.broken = true
    await run('report')
    await run('report')
    await clock.advance('1m')
    expect(mail.lines).toEqual([])
    await run('report')
    await clock.advance('1s')
    expect(mail.lines).toEqual(['12:01:00 failed report open ×3 #0'])
  })

  test('recoverAfter: recovered after N successes in a row', async () => {
    const { clock, scheduler, mail, run, flaky } = world({ recoverAfter: 2, groupWait: 0, groupInterval: 0 })
    const job = flaky('report')
    await scheduler.start()
    await run('report')
    await clock.advance('1s')
    job.broken = false
    await run('report')
    job.broken = true
    await run('report')
    job.broken = false
    await run('report')
    await clock.advance('1m')
    expect(mail.lines).toHaveLength(1)
    await run('report')
    await clock.advance('1m')
    expect(mail.lines[1]).toBe('12:01:01 failed report recovered ×2 #1')
  })
})

describe('repeating', () => {
  test('one incident is reported once, and again every 4 h while it lasts', async () => {
    const { clock, scheduler, mail, flaky } = world()
    scheduler.job('tick', '*/5 * * * *', () => {
      throw new Error('still broken')
    })
    flaky('other')
    await scheduler.start()
    await clock.advance('9h')
    expect(mail.lines).toEqual([
      '12:05:30 failed tick open ×1 #0',
      '16:05:30 failed tick open ×49 #1',
      '20:05:30 failed tick open ×97 #2',
    ])
    expect(new Set(mail.messages.map(({ thread }) => thread.id)).size).toBe(1)
  })

  test('repeat: false tells once', async () => {
    const { clock, scheduler, mail, run, flaky } = world({ repeat: false })
    flaky('report')
    await scheduler.start()
    await run('report')
    await clock.advance('6h')
    expect(mail.lines).toHaveLength(1)
  })

  test('a new type of error is reported at once, a new message of the same type is not', async () => {
    const { clock, scheduler, mail, run, flaky } = world({ groupWait: 0, groupInterval: 0 })
    const job = flaky('report')
    await scheduler.start()
    await run('report')
    await clock.advance('1m')
    job.error = new Error('another text')
    await run('report')
    await clock.advance('1m')
    expect(mail.lines).toHaveLength(1)
    job.error = new TypeError('x is not a function')
    await run('report')
    await clock.advance('1m')
    expect(mail.lines.slice(1)).toEqual(['12:02:00 failed report open ×3 #1'])
    expect(mail.messages[1]?.notices[0]?.errors[0]?.name).toBe('TypeError')
    job.error = new Error('the first type again')
    await run('report')
    await clock.advance('1m')
    expect(mail.lines).toHaveLength(2)
  })

  test('what fails again before its recovery was reported goes on as the same incident, without a mail', async () => {
    const { clock, scheduler, plugin, mail, run, flaky } = world()
    const job = flaky('report')
    await scheduler.start()
    await run('report')
    await clock.advance('30s')
    for (const broken of [false, true, false, true]) {
      job.broken = broken
      await run('report')
      await clock.advance('10s')
    }
    await clock.advance('10m')
    expect(mail.lines).toEqual(['12:00:30 failed report open ×1 #0'])
    expect(plugin.incidents()).toMatchObject([{ key: 'failed:report', count: 3, recoveredAt: undefined }])
  })

  test('what failed and recovered before anything was reported is reported once', async () => {
    const { clock, scheduler, plugin, mail, run, flaky } = world()
    const job = flaky('report')
    await scheduler.start()
    await run('report')
    job.broken = false
    await run('report')
    await clock.advance('1h')
    expect(mail.lines).toEqual(['12:00:30 failed report recovered ×1 #0'])
    expect(plugin.stats().incidents).toBe(0)
  })

  test('recovery: false keeps the end to itself', async () => {
    const { clock, scheduler, plugin, mail, run, flaky } = world({ recovery: false, groupWait: 0 })
    const job = flaky('report')
    await scheduler.start()
    await run('report')
    await clock.advance('1s')
    job.broken = false
    await run('report')
    await clock.advance('1h')
    expect(mail.lines).toHaveLength(1)
    expect(plugin.stats().incidents).toBe(0)
  })
})

describe('grouping', () => {
  test('the first of a group waits 30 s for others; further ones 5 min after the last message', async () => {
    const { clock, scheduler, mail, run, flaky } = world()
    for (const name of ['a', 'b', 'c', 'd']) flaky(name)
    await scheduler.start()
    await run('a')
    await clock.advance('20s')
    await run('b')
    await clock.advance('20s')
    expect(mail.lines).toEqual(['12:00:30 failed b open ×1 #0 | failed a open ×1 #0'])
    await run('c')
    await clock.advance('2m')
    await run('d')
    await clock.advance('5m')
    expect(mail.lines.slice(1)).toEqual(['12:05:30 failed d open ×1 #0 | failed c open ×1 #0'])
  })

  test.each([
    ['group', [['a1', 'a2'], ['b1'], ['none']]],
    ['job', [['a1'], ['a2'], ['b1'], ['none']]],
    ['all', [['a1', 'a2', 'b1', 'none']]],
    ['kind', [['a1', 'a2', 'b1', 'none']]],
    [({ subject }: { subject: string }) => String(subject.length), [['a1', 'a2', 'b1'], ['none']]],
  ] as const)('groupBy %s', async (groupBy, expected) => {
    const { clock, scheduler, mail, run, flaky } = world({ groupBy })
    flaky('a1', { group: 'a' })
    flaky('a2', { group: 'a' })
    flaky('b1', { group: 'b' })
    flaky('none')
    await scheduler.start()
    for (const name of ['a1', 'a2', 'b1', 'none']) await run(name)
    await clock.advance('1m')
    expect(mail.messages.map(({ notices }) => notices.map(({ subject }) => subject).sort())).toEqual(expected)
  })

  test('the worst comes first, what is over last; the message is as severe as its worst', async () => {
    const { clock, scheduler, mail, run, flaky } = world({
      rules: [
        { match: { job: 'low' }, severity: 'info' },
        { match: { job: 'high' }, severity: 'critical' },
      ],
    })
    for (const name of ['low', 'high', 'mid']) flaky(name)
    const over = flaky('over')
    await scheduler.start()
    for (const name of ['over', 'low', 'high', 'mid']) await run(name)
    over.broken = false
    await run('over')
    await clock.advance('30s')
    expect(mail.messages[0]?.notices.map(({ subject }) => subject)).toEqual(['high', 'mid', 'low', 'over'])
    expect(mail.messages[0]?.severity).toBe('critical')
  })

  test('of several told at once, the recovery of each answers to the thread they share', async () => {
    const { clock, scheduler, mail, run, flaky } = world()
    const jobs = { a: flaky('a'), b: flaky('b') }
    await scheduler.start()
    await run('a')
    await run('b')
    await clock.advance('30s')
    const [first] = mail.messages
    expect(first?.thread).toMatchObject({ id: first?.id, incidents: 2 })
    jobs.a.broken = false
    await run('a')
    await clock.advance('5m')
    expect(mail.messages[1]?.thread).toEqual(first?.thread)
    expect(mail.messages[1]?.references).toEqual([first?.id])
  })
})

describe('throttling', () => {
  test('beyond the budget messages wait, and the last of it takes all groups together', async () => {
    const { clock, scheduler, mail, run, flaky } = world({
      groupBy: 'job',
      groupWait: 0,
      throttle: { messages: 3, per: '1h' },
    })
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const name of names) flaky(name)
    await scheduler.start()
    for (const name of names) await run(name)
    await clock.advance('1s')
    expect(mail.messages.map(({ notices }) => notices.length)).toEqual([1, 1, 4])
    flaky('g')
    await run('g')
    await clock.advance('19m')
    expect(mail.messages).toHaveLength(3)
    await clock.advance('2m')
    expect(mail.messages).toHaveLength(4)
  })
})

describe('digest', () => {
  test('collects until its instants, and leaves the rest alone', async () => {
    const { clock, scheduler, mail, run, flaky } = world({
      rules: [{ match: { group: 'nightly' }, digest: cron('0 9 * * *', { timezone: 'UTC' }) }],
    })
    const a = flaky('a', { group: 'nightly' })
    flaky('b', { group: 'nightly' })
    flaky('urgent')
    await scheduler.start()
    await run('a')
    await run('urgent')
    await clock.advance('8h')
    await run('b')
    a.broken = false
    await run('a')
    await clock.advance('14h')
    expect(mail.lines).toEqual([
      '12:00:30 failed urgent open ×1 #0',
      '16:00:30 failed urgent open ×1 #1',
      '20:00:30 failed urgent open ×1 #2',
      '00:00:30 failed urgent open ×1 #3',
      '04:00:30 failed urgent open ×1 #4',
      '08:00:30 failed urgent open ×1 #5',
      '09:00:00 failed b open ×1 #0 | failed a recovered ×1 #0',
    ])
  })
})

describe('inhibition', () => {
  test('an open failure mutes slow and missed of its job, not of others', async () => {
    const { clock, scheduler, mail, run, flaky } = world()
    flaky('report')
    let finish: () => void = () => {}
    scheduler.job(
      'sync',
      '0 0 1 1 *',
      { slow: '1m' },
      () => new Promise<void>((resolve) => (finish = resolve)),
    )
    await scheduler.start()
    await run('report')
    await clock.advance('30s')
    void scheduler.run('sync')
    await clock.advance('10m')
    expect(mail.lines).toEqual([
      '12:00:30 failed report open ×1 #0',
      expect.stringContaining('slow sync open ×1 #0'),
    ])
    finish()
  })

  test('a slow run that then fails is one mail, not two', async () => {
    const { clock, scheduler, mail } = world({ rules: [{ match: { kind: 'slow' }, groupWait: '10m' }] })
    let fail: (error: Error) => void = () => {}
    scheduler.job('sync', '0 0 1 1 *', { slow: '1m' }, () => new Promise((_, reject) => (fail = reject)))
    await scheduler.start()
    void scheduler.run('sync')
    await clock.advance('5m')
    fail(new Error('gave up'))
    await clock.advance('1h')
    expect(mail.lines).toEqual(['12:05:30 failed sync open ×1 #0'])
  })

  test('one job can mute a group, and mutes it no more when it has recovered', async () => {
    const { clock, scheduler, mail, run, flaky } = world({
      inhibit: [{ when: { job: 'database' }, mute: { group: 'reports' } }],
      groupBy: 'job',
    })
    const database = flaky('database')
    flaky('daily', { group: 'reports' })
    await scheduler.start()
    await run('database')
    await run('daily')
    await clock.advance('10m')
    expect(mail.lines).toEqual(['12:00:30 failed database open ×1 #0'])
    database.broken = false
    await run('database')
    await clock.advance('10m')
    expect(mail.lines.slice(1)).toEqual([
      '12:10:00 failed database recovered ×1 #1',
      expect.stringMatching(/^12:1[01]:\d\d failed daily open ×1 #0$/),
    ])
  })
})

describe('escalation', () => {
  test('after a time, to a further channel that gets the end too', async () => {
    const pager = recorder('pager')
    const mail = recorder('mail')
    const { clock, scheduler, run, flaky } = world({
      channels: [mail, pager],
      escalate: { to: 'pager', after: '1h' },
      groupInterval: 0,
    })
    const job = flaky('report')
    const short = flaky('short')
    await scheduler.start()
    await run('report')
    await run('short')
    await clock.advance('59m')
    expect(pager.lines).toEqual([])
    short.broken = false
    await run('short')
    await clock.advance('1m')
    expect(pager.lines).toEqual(['13:00:00 failed report open ×1 #0'])
    expect(pager.messages[0]?.notices[0]?.escalated).toBe(true)
    expect(mail.messages[0]?.notices[0]?.escalated).toBe(false)
    job.broken = false
    await run('report')
    await clock.advance('1m')
    expect(pager.lines[1]).toBe('13:00:00 failed report recovered ×1 #1')
    expect(mail.lines.at(-1)).toBe('13:00:00 failed report recovered ×1 #1')
  })

  test('after N times', async () => {
    const pager = recorder('pager')
    const mail = recorder('mail')
    const { clock, scheduler, run, flaky } = world({
      channels: [mail, pager],
      rules: [{ match: { group: 'billing' }, escalate: [{ to: ['pager'], times: 3 }] }],
    })
    flaky('invoice', { group: 'billing' })
    await scheduler.start()
    await run('invoice')
    await run('invoice')
    await clock.advance('1h')
    expect(pager.lines).toEqual([])
    await run('invoice')
    await clock.advance('1s')
    expect(pager.lines).toEqual(['13:00:00 failed invoice open ×3 #0'])
  })
})

describe('quiet hours', () => {
  const quiet = { from: '22:00', to: '07:00', timezone: 'UTC' }

  test('hold what is not critical, and tell it when they are over; also what has recovered meanwhile', async () => {
    const { clock, scheduler, mail, run, flaky } = world(
      { quiet, repeat: false, rules: [{ match: { job: 'pay' }, severity: 'critical' }] },
      { clock: new VirtualClock('2026-11-20T23:00:00Z') },
    )
    flaky('report')
    flaky('pay')
    const short = flaky('short')
    await scheduler.start()
    for (const name of ['report', 'pay', 'short']) await run(name)
    short.broken = false
    await run('short')
    await clock.advance('7h59m')
    expect(mail.lines).toEqual(['23:00:30 failed pay open ×1 #0'])
    await clock.advance('5m')
    expect(mail.lines[1]).toMatch(/^07:00:\d\d failed report open ×1 #0 \| failed short recovered ×1 #0$/)
  })

  test.each([
    [
      'over midnight, only on the evenings of working days',
      { ...quiet, days: [1, 2, 3, 4, 5] },
      '2026-11-21T06:00Z',
      true,
    ],
    ['the morning after a free day', { ...quiet, days: [1, 2, 3, 4, 5] }, '2026-11-22T06:00Z', false],
    ['within a day', { from: '12:00', to: '13:00', timezone: 'Asia/Shanghai' }, '2026-11-20T04:30Z', true],
    ['at its end', { from: '12:00', to: '13:00', timezone: 'Asia/Shanghai' }, '2026-11-20T05:00Z', false],
    ['a function', (instant: Date) => instant.getUTCDay() === 0, '2026-11-22T12:00Z', true],
    ['a calendar', { includes: () => true } satisfies Calendar, '2026-11-22T12:00Z', true],
    [
      'one that throws silences nothing',
      {
        includes: () => {
          throw new Error('broken')
        },
      },
      '2026-11-22T12:00Z',
      false,
    ],
  ])('%s', async (_, quiet, start, held) => {
    const { clock, scheduler, mail, run, flaky } = world(
      { quiet, groupWait: 0 },
      { clock: new VirtualClock(start) },
    )
    flaky('report')
    await scheduler.start()
    await run('report')
    await clock.advance('1s')
    expect(mail.lines).toHaveLength(held ? 0 : 1)
  })

  test.each([
    ['hours', { from: '22:00', to: '07:00' }],
    ['a calendar', calendar({ daily: '22:00-07:00' })],
    ['windows', calendar({ opens: '0 22 * * *', for: '9h' })],
  ])('%s are those of the scheduler, where they name no zone', async (_, quiet) => {
    for (const [timezone, held] of [
      ['Asia/Shanghai', true],
      ['UTC', false],
    ] as const) {
      const { clock, scheduler, mail, run, flaky } = world(
        { quiet, groupWait: 0 },
        { clock: new VirtualClock('2026-11-20T14:30:00Z'), timezone },
      )
      flaky('report')
      await scheduler.start()
      await run('report')
      await clock.advance('1s')
      expect([timezone, mail.lines.length]).toEqual([timezone, held ? 0 : 1])
    }
  })

  test('a digest is due in the zone of the scheduler', async () => {
    const { clock, scheduler, mail, run, flaky } = world(
      { digest: cron('0 21 * * *') },
      { timezone: 'Asia/Shanghai' },
    )
    flaky('report')
    await scheduler.start()
    await run('report')
    await clock.advance('59m')
    expect(mail.lines).toEqual([])
    await clock.advance('2m')
    expect(mail.lines).toHaveLength(1)
  })
})

describe('rules', () => {
  test('are laid over each other in order, and see the severity set so far', async () => {
    const pager = recorder('pager')
    const mail = recorder('mail')
    const { clock, scheduler, run, flaky } = world({
      channels: [mail, pager],
      to: 'mail',
      rules: [
        { match: { group: ['billing', 'orders'] }, severity: 'critical' },
        { match: { job: /^test-/ }, severity: 'info' },
        { match: { severity: 'critical', kind: 'failed' }, to: ['mail', 'pager'], groupWait: 0 },
      ],
    })
    flaky('invoice', { group: 'billing' })
    flaky('test-invoice', { group: 'billing' })
    await scheduler.start()
    await run('invoice')
    await run('test-invoice')
    await clock.advance('1h')
    expect(pager.lines).toEqual(['12:00:00 failed invoice open ×1 #0'])
    expect(mail.lines.join()).toContain('test-invoice')
  })

  test('a job is switched off by a rule, or at run time', async () => {
    const { clock, scheduler, plugin, mail, run, flaky } = world({
      rules: [{ match: { job: 'noisy' }, enabled: false }],
    })
    for (const name of ['noisy', 'report']) flaky(name)
    await scheduler.start()
    await run('noisy')
    await run('report')
    plugin.enable('report', false)
    await run('report')
    await clock.advance('1h')
    expect(mail.lines).toEqual([])
    expect(plugin.stats().incidents).toBe(0)
    plugin.enable('report')
    await run('report')
    await clock.advance('1h')
    expect(mail.lines).toEqual(['13:00:30 failed report open ×1 #0'])
  })
})

describe('options are refused at once', () => {
  const channels = [recorder('mail')]
  test.each([
    [/channels must be an array with at least one channel/, { channels: [] }],
    [/objects with a name and a method send/, { channels: [{ name: 'x' }] }],
    [/of different names/, { channels: [...channels, ...channels] }],
    [/alerts.to must be among the channels \(mail\), but is "pager"/, { channels, to: 'pager' }],
    [/severity must be 'info' or 'warning' or 'error' or 'critical'/, { channels, severity: 'bad' }],
    [/after must be a whole number of at least 1, but is 0/, { channels, after: 0 }],
    [/groupWait/, { channels, groupWait: '-1s' }],
    [/groupBy/, { channels, groupBy: 'owner' }],
    [/digest must be a trigger/, { channels, digest: '0 9 * * *' }],
    [/quiet.from must be a time like '22:00'/, { channels, quiet: { from: '25:00', to: '07:00' } }],
    [/IANA/, { channels, quiet: { from: '22:00', to: '07:00', timezone: 'Mars/Base' } }],
    [/times or after/, { channels, escalate: { to: 'mail' } }],
    [/there is no rules\[0\] option "color"/, { channels, rules: [{ match: { job: 'x' }, color: 'red' }] }],
    [/rules\[0\].match.kind/, { channels, rules: [{ match: { kind: 'fialed' } }] }],
    [/inhibit\[0\].when/, { channels, inhibit: [{ when: { owner: 'x' }, mute: {} }] }],
    [/flush/, { channels, flush: '11s' }],
    [/no alerts\(\) option "gruopWait": did you mean groupWait/, { channels, gruopWait: 0 }],
  ])('%s', (message, options) => {
    expect(() => alerts(options as never)).toThrow(message)
    expect(() => alerts(options as never)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_ESCAPEMENT_/) }),
    )
  })

  test('a scheduler takes it', () => {
    expect(() => createScheduler({ plugins: [alerts({ channels })] })).not.toThrow()
  })
})

test('a wall clock that is set back delays nothing for long', async () => {
  const { clock, scheduler, mail, run, flaky } = world()
  flaky('report')
  flaky('other')
  await scheduler.start()
  await run('report')
  await clock.advance('30s')
  await run('other')
  clock.step(-3_600_000)
  await clock.advance('7m')
  expect(mail.messages.map(at)).toHaveLength(2)
})
