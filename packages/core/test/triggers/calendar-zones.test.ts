import { anyOf, calendar, createScheduler, cron, except, type JobOptions } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { EscapementError } from '../../src/errors.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** The hours, in UTC, in which an hourly job of this option is skipped on 2026-06-15, a Monday. */
async function skipped(options: JobOptions, scheduler: { timezone?: string; defaults?: object } = {}) {
  const clock = new VirtualClock('2026-06-14T23:59:00Z')
  const made = createScheduler({ clock, timezone: 'UTC', ...scheduler })
  const hours: string[] = []
  made.on('skipped', (run) => void hours.push(run.tick.scheduledAt.toISOString().slice(11, 13)))
  made.job('hourly', cron('0 * * * *', { timezone: 'UTC' }), options, () => {})
  await made.start()
  stops.push(() => clock.until(made.stop()))
  await clock.advanceTo('2026-06-15T23:59:00Z')
  return hours.join(' ')
}

const shanghai = { timezone: 'Asia/Shanghai' }

describe('a blackout knows the zone of the job, then that of the scheduler', () => {
  const night = { daily: '00:00-02:00' }
  const opens = { opens: '0 0 * * *', for: '2h' }
  it.each([
    ['times of day', night],
    ['windows', opens],
    ['a trigger', '0 0,1 * * *'],
  ] as const)('%s', async (_, spec) => {
    const blackout = calendar(typeof spec === 'string' ? cron(spec) : spec)
    expect(await skipped({ blackout })).toBe('00 01')
    expect(await skipped({ blackout }, shanghai)).toBe('16 17')
    expect(await skipped({ blackout, ...shanghai })).toBe('16 17')
    expect(await skipped({ blackout, timezone: 'UTC' }, shanghai)).toBe('00 01')
    expect(await skipped({}, { ...shanghai, defaults: { blackout } })).toBe('16 17')
    expect(await skipped(shanghai, { defaults: { blackout } })).toBe('16 17')
  })
  it('its own zone comes first', async () => {
    for (const spec of [night, opens])
      expect(await skipped({ blackout: calendar({ ...spec, ...shanghai }), timezone: 'UTC' })).toBe('16 17')
  })
  it('is made of what `except` takes', async () => {
    expect(await skipped({ blackout: { daily: '00:00-02:00' } }, shanghai)).toBe('16 17')
    expect(await skipped({ blackout: cron('0 3 * * *') })).toBe('03')
    expect(await skipped({ blackout: (instant) => instant.getUTCHours() === 5 })).toBe('05')
  })
  it('H in its windows is settled by the name of the job', async () => {
    const one = await skipped({ blackout: { opens: '0 H * * *', for: '1h' } })
    expect(one).toMatch(/^\d\d$/)
    expect(await skipped({}, { defaults: { blackout: { opens: '0 H * * *', for: '1h' } } })).toBe(one)
  })
  it.each([
    ['a string', '0 2 * * *'],
    ['an array', ['2026-12-25']],
    ['a number', 5],
    ['a misspelt key', { day: ['SAT'] }],
    ['nothing in it', {}],
  ])('%s is refused', (_, blackout) => {
    const scheduler = createScheduler({ timezone: 'UTC' })
    expect(() => scheduler.job('a', '* * * * *', { blackout: blackout as never }, () => {})).toThrow(
      EscapementError,
    )
  })
})

describe('windows honour the zone of their calendar', () => {
  const at = (hour: string) => new Date(`2026-06-15T${hour}:00Z`)
  it.each([
    ['an expression', '0 2 * * *'],
    ['a trigger', cron('0 2 * * *')],
    ['a trigger of others', anyOf('0 2 * * *', '0 2 1 1 *')],
  ])('%s', (_, opens) => {
    const window = calendar({ opens, for: '3h', timezone: 'Asia/Shanghai' })
    expect(window.includes(at('18:30'))).toBe(true)
    expect(window.includes(at('02:30'))).toBe(false)
    const job = except('0 * * * *', { opens, for: '3h', timezone: 'Asia/Shanghai' })
    expect(job.next(at('17:30'))).toEqual(at('21:00'))
  })
  it('a trigger with a zone of its own keeps it', () => {
    const opens = cron('0 2 * * *', { timezone: 'UTC' })
    expect(calendar({ opens, for: '3h', timezone: 'Asia/Shanghai' }).includes(at('02:30'))).toBe(true)
  })
})
