import { describe, expect, it } from 'vitest'
import { EscapementError } from '../../src/errors.ts'
import { readSystemZone } from '../../src/triggers/cron/find-zone.ts'
import { cron } from '../../src/triggers/index.ts'

function refusal(timezone: string): string {
  try {
    cron('0 9 * * *', { timezone })
  } catch (error) {
    expect(error).toBeInstanceOf(EscapementError)
    expect((error as EscapementError).code).toBe('ERR_ESCAPEMENT_TIMEZONE')
    return (error as Error).message
  }
  throw new Error(`${timezone} was taken`)
}

describe('names that are no IANA zones are refused, with what to write', () => {
  it.each([
    ['CST', '"America/Chicago", "Asia/Shanghai" or "America/Havana"'],
    ['cst', '"America/Chicago", "Asia/Shanghai" or "America/Havana"'],
    ['IST', '"Asia/Kolkata", "Europe/Dublin" or "Asia/Jerusalem"'],
    ['BST', '"Europe/London" or "Asia/Dhaka"'],
    ['PST', '"America/Los_Angeles" or "Asia/Manila"'],
    ['AST', '"America/Halifax", "Asia/Riyadh" or "America/Anchorage"'],
    ['JST', 'write "Asia/Tokyo"'],
    ['CEST', 'write "Europe/Berlin"'],
    ['EDT', 'write "America/New_York"'],
    ['UTC+8', '"Etc/GMT-8"'],
    ['utc+08:00', '"Etc/GMT-8"'],
    ['GMT+8', '"Etc/GMT-8"'],
    ['+08:00', '"Etc/GMT-8"'],
    ['+0800', '"Etc/GMT-8"'],
    ['-05', '"Etc/GMT+5"'],
    ['GMT-5', '"Etc/GMT+5"'],
    ['+00:00', '"UTC"'],
    ['+05:30', '"Asia/Kolkata"'],
    ['Z', 'write "UTC"'],
    ['Asia/Beijing', 'write "Asia/Shanghai"'],
    ['asia/beijing', 'write "Asia/Shanghai"'],
    ['America/San Francisco', 'write "America/Los_Angeles"'],
    ['China Standard Time', 'write "Asia/Shanghai"'],
    ['W. Europe Standard Time', 'write "Europe/Berlin"'],
    ['Central European Standard Time', 'write "Europe/Warsaw"'],
    ['eastern standard time', 'write "America/New_York"'],
    ['Pacific Daylight Time', 'write "America/Los_Angeles"'],
    ['Central Standard Time (Mexico)', 'write "America/Mexico_City"'],
    ['Mars Standard Time', 'names of Windows are not understood'],
    ['Europe/Berln', 'did you mean "Europe/Berlin"?'],
    ['Etc/Unknown', 'expected an IANA zone'],
    ['SystemV/EST5EDT', 'expected an IANA zone'],
    ['', 'expected an IANA zone'],
    ['__proto__', 'expected an IANA zone'],
    ['constructor', 'expected an IANA zone'],
  ])('%s', (name, words) => expect(refusal(name)).toContain(words))

  it.each(
    'EST MST HST EST5EDT CST6CDT CET EET MET WET GMT UTC PRC ROK NZ GB Etc/GMT-8 US/Pacific europe/berlin'.split(
      ' ',
    ),
  )('%s is one', (name) =>
    expect(cron('0 9 * * *', { timezone: name }).next(new Date(0))).toBeInstanceOf(Date),
  )
})

it('an option that is no zone is refused also where the same expression was taken without it', () => {
  cron('0 9 * * *')
  cron('0 9 * * *', { timezone: 'UTC', dst: 'skip' })
  expect(() => cron('0 9 * * *', { timezone: '' })).toThrow(/IANA zone/)
  expect(() => cron('0 9 * * *', { timezone: ['UTC'] as never })).toThrow(/IANA zone/)
  expect(() => cron('0 9 * * *', { timezone: 'UTC', dst: ['skip'] as never })).toThrow(/dst/)
})

describe('the zone of the process', () => {
  it.each([
    ['Europe/Berlin', 'Europe/Berlin', 'Europe/Berlin', undefined],
    [':Europe/Berlin', 'Europe/Berlin', 'Europe/Berlin', undefined],
    [undefined, 'Asia/Shanghai', 'Asia/Shanghai', undefined],
    ['UTC', 'UTC', 'UTC', undefined],
    ['', 'Etc/Unknown', 'UTC', 'TZ="" is no IANA zone, and UTC is used instead'],
    ['', 'UTC', 'UTC', 'TZ="" is no IANA zone'],
    ['GMT+8', 'GMT+08:00', 'UTC', 'set TZ, or the option timezone'],
    ['CST-8', undefined, 'UTC', 'TZ="CST-8" is no IANA zone'],
    [':/etc/localtime', undefined, 'UTC', 'set TZ, or the option timezone'],
    ['CST', 'America/Chicago', 'UTC', '"America/Chicago", "Asia/Shanghai" or'],
    [undefined, undefined, 'UTC', 'the zone of this machine'],
    ['europe/paris', undefined, 'UTC', 'such as "Europe/Paris"'],
  ])('TZ=%j, which Intl takes for %j: %s', (tz, platform, name, words) => {
    const read = readSystemZone(tz, platform)
    expect(read.name).toBe(name)
    if (words === undefined) expect(read.problem).toBeUndefined()
    else expect(read.problem).toContain(words)
  })
})
