import { createScheduler, EscapementError } from '@escapement/core'
import { expect, it } from 'vitest'
import { bind, health } from '../src/index.ts'
import { parseOptions } from '../src/options.ts'

it('has defaults', () => {
  const { start, grace, signals } = parseOptions()
  expect({ start, grace, signals }).toEqual({ start: 'auto', grace: undefined, signals: undefined })
  expect(parseOptions({ signals: true }).signals).toEqual({
    on: ['SIGTERM', 'SIGINT'],
    delay: 0,
    linger: 5000,
    cleanup: undefined,
    cleanupTimeout: 10_000,
    exitCode: undefined,
  })
})

it.each([
  [{ start: 'now' }, 'ERR_ESCAPEMENT_OPTION', "start must be 'auto' or 'always' or 'never', but is \"now\""],
  [{ sart: 'auto' }, 'ERR_ESCAPEMENT_OPTION', 'there is no middleware() option "sart"'],
  [{ grace: '10 parsecs' }, 'ERR_ESCAPEMENT_DURATION', 'grace: expected a duration'],
  [{ grace: -1 }, 'ERR_ESCAPEMENT_DURATION', 'grace: must be at least'],
  [{ guard: 'yes' }, 'ERR_ESCAPEMENT_OPTION', 'guard must be true or false'],
  [{ signals: 'SIGTERM' }, 'ERR_ESCAPEMENT_OPTION', 'signals must be true, false or an object'],
  [{ signals: { on: [] } }, 'ERR_ESCAPEMENT_OPTION', 'signals.on must be'],
  [{ signals: { on: ['term'] } }, 'ERR_ESCAPEMENT_OPTION', 'signals.on must be'],
  [{ signals: { delay: 'soon' } }, 'ERR_ESCAPEMENT_DURATION', 'signals.delay'],
  [{ signals: { linger: 2 ** 40 } }, 'ERR_ESCAPEMENT_DURATION', 'signals.linger'],
  [{ signals: { exitCode: 1.5 } }, 'ERR_ESCAPEMENT_OPTION', 'signals.exitCode must be a whole number'],
  [{ signals: { cleanup: 'sdk' } }, 'ERR_ESCAPEMENT_OPTION', 'signals.cleanup must be a function'],
  [{ signals: { code: 1 } }, 'ERR_ESCAPEMENT_OPTION', 'there is no signals option "code"'],
  [null, 'ERR_ESCAPEMENT_OPTION', 'middleware() options must be an object, but is null'],
])('refuses %j', (options, code, message) => {
  const parse = () => parseOptions(options as never)
  expect(parse).toThrow(message)
  expect(parse).toThrow(expect.objectContaining({ code }))
  expect(parse).toThrow(EscapementError)
})

it('refuses what is no scheduler', () => {
  for (const given of [undefined, null, {}, () => {}]) {
    expect(() => bind(given as never)).toThrow(expect.objectContaining({ code: 'ERR_ESCAPEMENT_OPTION' }))
  }
})

it('refuses a probe there is not', () => {
  expect(() => health(createScheduler(), { probe: 'startup' as never })).toThrow("'ready' or 'live'")
  expect(() => health(undefined as never)).toThrow('healthz() takes the scheduler first')
})
