import { createScheduler, type Lock, memoryStore } from '@escapement/core'
import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const made = (options: object) => () => createScheduler({ logger: quiet, ...options } as never)

describe('a name from before is refused with the name of now', () => {
  test.each([
    ['a job option', { defaults: { catchUp: '1h' } }, 'catchUp is called catchUpWindow now'],
    ['another', { defaults: { onClaimError: 'run' } }, 'onClaimError is called onLockUnavailable now'],
    ['a method of a plugin', { plugins: [{ name: 'p', attach() {} }] }, 'p.attach() is called setup() now'],
    [
      'a method of a lock',
      { plugins: [{ name: 'p', lock: { claim() {}, headStart() {} } }] },
      'p.lock.headStart() is called claimDelay() now',
    ],
  ])('%s', (_, options, message) => expect(made(options)).toThrow(message))

  test('a property of a trigger', () => {
    const scheduler = createScheduler({ logger: quiet })
    const trigger = { next: () => undefined, wildcard: true }
    expect(() => scheduler.job('a', trigger, () => {})).toThrow('wildcard is called followsElapsedTime now')
  })

  test('a method of a claim: the tick is not run, and the reason is reported', async () => {
    const claim = { granted: true, held: () => true, onLost: () => () => {}, finish: async () => {} }
    const lock = { claim: () => claim } as unknown as Lock
    const { scheduler, clock, runs, lines } = harness({
      plugins: [{ name: 'p', lock, store: memoryStore() }],
    })
    scheduler.job('a', '* * * * *', () => {})
    await scheduler.start()
    await clock.advance('1m')
    expect(runs.map(({ reason }) => reason)).toEqual(['claim-unavailable'])
    const told = lines.filter(({ level }) => level === 'error').map(({ message }) => message)
    expect(told[0]).toContain('claim.finish() is called complete() now')
  })
})
