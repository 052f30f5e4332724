import { describe, expect, test } from 'vitest'
import { recorder, world } from './harness.ts'

const never = () => new Promise<void>(() => {})

describe('a channel that fails', () => {
  test('is tried three times, after 1 s and 5 s', async () => {
    const { clock, scheduler, plugin, mail, run, flaky } = world({ groupWait: 0 })
    flaky('report')
    await scheduler.start()
    let fails = 2
    mail.fail = () => {
      if (fails-- > 0) throw new Error('421 try later')
    }
    await run('report')
    await clock.advance('1s')
    expect(mail.tries).toBe(2)
    await clock.advance('4999ms')
    expect(mail.tries).toBe(2)
    await clock.advance('1ms')
    expect(mail.lines).toEqual(['12:00:00 failed report open ×1 #0'])
    expect(plugin.stats()).toMatchObject({ sent: 1, failed: 0 })
  })

  test('loses nothing: it rests 30 s, 60 s, … up to 5 min, then tells what is true by then', async () => {
    const { clock, scheduler, plugin, mail, run, flaky, lines } = world({ groupWait: 0, tries: 1 })
    const job = flaky('report')
    flaky('other')
    await scheduler.start()
    const tried: string[] = []
    let down = true
    mail.fail = () => {
      tried.push(new Date(clock.now()).toISOString().slice(11, 19))
      if (down) throw new Error('down')
    }
    await run('report')
    await clock.advance('30m')
    expect(tried).toEqual([
      '12:00:00',
      '12:00:30',
      '12:01:30',
      '12:03:30',
      '12:07:30',
      '12:12:30',
      '12:17:30',
      '12:22:30',
      '12:27:30',
    ])
    await run('report')
    await run('other')
    job.broken = false
    await run('report')
    down = false
    await clock.advance('5m')
    expect(mail.lines).toEqual(['12:32:30 failed other open ×1 #0 | failed report recovered ×2 #0'])
    expect(plugin.stats()).toEqual({ incidents: 1, waiting: 0, sent: 1, failed: 9, dropped: 0 })
    expect(lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(0)
  })

  test('is not tried again at once when it says that this is of no use, and later when it asks for it', async () => {
    const { clock, scheduler, mail, run, flaky } = world({ groupWait: 0 })
    flaky('report')
    await scheduler.start()
    mail.fail = () => {
      throw Object.assign(new Error('no such user'), { retryable: false })
    }
    await run('report')
    await clock.advance('29s')
    expect(mail.tries).toBe(1)
    mail.fail = () => {
      throw Object.assign(new Error('slow down'), { retryAfter: 20_000 })
    }
    await clock.advance('1s')
    expect(mail.tries).toBe(2)
    await clock.advance('19s')
    expect(mail.tries).toBe(2)
    mail.fail = undefined
    await clock.advance('1s')
    expect(mail.lines).toHaveLength(1)
  })

  test('is left behind after the timeout, its signal aborted, and told of by the others', async () => {
    const slack = recorder('slack')
    const mail = recorder('mail')
    const { clock, scheduler, run, flaky } = world({
      channels: [mail, slack],
      groupWait: 0,
      tries: 1,
      timeout: '10s',
    })
    flaky('report')
    await scheduler.start()
    let signal: AbortSignal | undefined
    slack.send = (_, options) => {
      signal = options.signal
      return never()
    }
    await run('report')
    await clock.advance('10s')
    expect(signal?.aborted).toBe(true)
    await clock.advance('5m')
    expect(mail.lines).toEqual([
      '12:00:00 failed report open ×1 #0',
      expect.stringMatching(/^12:05:00 channel-failed slack open ×\d #0$/),
    ])
    expect(mail.messages[1]?.notices[0]?.errors[0]?.message).toBe('slack took longer than 10000 ms')
    slack.send = async () => {}
    await clock.advance('10m')
    expect(mail.lines[2]).toMatch(/^12:\d\d:\d\d channel-failed slack recovered ×\d #1$/)
  })

  test('that reached some counts as sent, and is reported by the others', async () => {
    const mail = recorder('mail')
    const slack = recorder('slack')
    const { clock, scheduler, plugin, run, flaky } = world({
      channels: [mail, slack],
      groupWait: 0,
      groupInterval: 0,
    })
    flaky('report')
    await scheduler.start()
    mail.fail = () => {
      throw Object.assign(new Error('refused for x@example.org'), { retryable: false, taken: true })
    }
    await run('report')
    await clock.advance('1h')
    expect(mail.tries).toBe(1)
    expect(slack.lines).toEqual(['12:00:00 failed report open ×1 #0 | channel-failed mail open ×1 #0'])
    expect(plugin.stats().failed).toBe(0)
  })

  test.each([
    [
      'throws at once',
      () => {
        throw new TypeError('bug in the channel')
      },
    ],
    ['throws nothing at all', () => Promise.reject(undefined)],
    ['throws null', () => Promise.reject(null)],
  ])('one that %s harms nothing', async (_, send) => {
    const { clock, scheduler, mail, run, flaky } = world({ groupWait: 0 })
    flaky('report')
    let ran = 0
    scheduler.job('healthy', '* * * * *', () => void ran++)
    await scheduler.start()
    mail.send = send as never
    await run('report')
    await clock.advance('10m')
    expect(ran).toBe(10)
  })
})

describe('stopping', () => {
  test('sends what waits, whatever it waits for, then closes the channels', async () => {
    const { clock, scheduler, plugin, mail, run, flaky } = world({ quiet: { from: '00:00', to: '00:00' } })
    flaky('report')
    await scheduler.start()
    await run('report')
    await scheduler.stop()
    expect(mail.lines).toEqual(['12:00:00 failed report open ×1 #0'])
    expect(mail.closed).toBe(1)
    await clock.advance('1d')
    expect(mail.lines).toHaveLength(1)
    expect(plugin.stats().dropped).toBe(0)
  })

  test('takes at most 10 s; what is lost is counted and logged', async () => {
    const { clock, scheduler, plugin, mail, run, flaky, lines } = world({ tries: 10 })
    flaky('report')
    flaky('other')
    await scheduler.start()
    mail.fail = never
    await run('report')
    await run('other')
    const began = clock.now()
    const stopped = scheduler.stop().then(() => clock.now() - began)
    await clock.advance('1m')
    expect(await stopped).toBe(10_000)
    expect(plugin.stats()).toMatchObject({ dropped: 2, sent: 0 })
    expect(lines).toContainEqual({
      level: 'error',
      fields: { notices: 2 },
      message: 'the scheduler stopped before all alerts were sent',
    })
  })

  test('started again, it goes on', async () => {
    const { clock, scheduler, mail, run, flaky } = world({ groupInterval: 0 })
    const job = flaky('report')
    await scheduler.start()
    await run('report')
    await scheduler.stop()
    job.broken = false
    await scheduler.start()
    await run('report')
    await clock.advance('1m')
    expect(mail.lines).toEqual([
      '12:00:00 failed report open ×1 #0',
      '12:00:00 failed report recovered ×1 #1',
    ])
  })

  test('runs that had to be aborted are reported', async () => {
    const { clock, scheduler, mail } = world()
    scheduler.job(
      'stubborn',
      '0 0 1 1 *',
      (run) =>
        new Promise((_, reject) => {
          run.signal.addEventListener('abort', () => reject(run.signal.reason))
        }),
    )
    await scheduler.start()
    void scheduler.run('stubborn')
    await clock.settle()
    const stopped = scheduler.stop({ grace: '5s' })
    await clock.advance('20s')
    await stopped
    expect(mail.lines).toEqual(['12:00:05 stopped-without-drain web-1 open ×1 #0'])
    expect(mail.messages[0]?.notices[0]?.detail).toBe('1 run was aborted: stubborn')
  })

  test('a clean stop is no incident', async () => {
    const { scheduler, mail, plugin } = world()
    scheduler.job('quick', '0 0 1 1 *', () => {})
    await scheduler.start()
    await scheduler.stop()
    expect(mail.lines).toEqual([])
    expect(plugin.incidents()).toEqual([])
  })
})

test('a channel that hangs and a store that fails delay no job, and are logged once', async () => {
  let down = true
  const kept: string[] = []
  const incidents = {
    load: async () => {
      if (down) throw new Error('store is down')
      return []
    },
    save: async ({ key }: { key: string }) => {
      if (down) throw new Error('store is down')
      kept.push(key)
      return true
    },
    remove: async () => true,
  }
  const store = { name: 'store', store: { record() {}, runs: () => [], incidents } }
  const { clock, scheduler, mail, lines } = world({ groupWait: 0 }, { plugins: [store] })
  mail.fail = never
  let ran = 0
  scheduler.job('fails', '* * * * *', () => {
    ran++
    throw new Error('broken')
  })
  await scheduler.start()
  await clock.advance('1h')
  expect(ran).toBe(60)
  expect(lines.filter(({ message }) => message?.startsWith('alerts: the store'))).toHaveLength(1)
  down = false
  await clock.advance('1m')
  expect(kept).toContain('failed:fails')
})

test('a store that hangs holds up neither start, nor messages, nor stop', async () => {
  const hang = () => new Promise<never>(() => {})
  const incidents = { load: hang, save: hang, remove: hang }
  const store = { name: 'store', store: { record() {}, runs: hang, incidents } }
  const { clock, scheduler, mail, run, flaky } = world({ groupWait: 0 }, { plugins: [store] })
  flaky('report')
  const began = clock.now()
  const starting = scheduler.start().then(() => clock.now() - began)
  await clock.advance('31s')
  expect(await starting).toBe(30_000)
  await run('report')
  await clock.advance('2m')
  expect(mail.lines).toEqual([expect.stringMatching(/failed report open ×1 #0$/)])
  await run('report')
  const stopping = clock.now()
  const stopped = scheduler.stop().then(() => clock.now() - stopping)
  await clock.advance('1m')
  expect(await stopped).toBeLessThanOrEqual(10_000)
})

test('a groupBy that throws silences nothing', async () => {
  const groupBy = () => {
    throw new Error('bug')
  }
  const { clock, scheduler, mail, run, flaky } = world({ groupBy })
  flaky('report')
  await scheduler.start()
  await run('report')
  await clock.advance('1m')
  expect(mail.lines).toHaveLength(1)
})
