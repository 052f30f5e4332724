import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'
import { MutexHold } from '../src/lease/mutex-hold.ts'
import { parseOptions } from '../src/options.ts'

const LEASE = 3000
const settings = parseOptions({ clients: ['redis://x'], lease: LEASE })

/** A hold of which each renewal does as told. */
function hold(clock: VirtualClock, extend: () => Promise<void>) {
  let extended = 0
  let released = 0
  const lock = {
    value: '',
    expiration: 0,
    async extend() {
      extended++
      await extend()
      return lock
    },
    async release() {
      released++
    },
  }
  const made = new MutexHold({ lock, until: clock.monotonic() + LEASE }, { name: 'door', clock, settings })
  return { made, extended: () => extended, released: () => released }
}

test('a mutex is renewed for as long as it is held, and then released once', async () => {
  const clock = new VirtualClock()
  const { made, extended, released } = hold(clock, async () => {})
  await clock.advance(10 * LEASE)
  expect(made.signal.aborted).toBe(false)
  expect(extended()).toBeGreaterThanOrEqual(20)
  await made.release()
  const before = extended()
  await clock.advance(10 * LEASE)
  expect([extended(), released()]).toEqual([before, 1])
})

test('a mutex that cannot be renewed is lost before its lease is over for others', async () => {
  const clock = new VirtualClock()
  const { made, extended } = hold(clock, () => Promise.reject(new Error('down')))
  await clock.advance(LEASE - 10)
  expect(made.signal.aborted).toBe(false)
  await clock.advance(10)
  expect(made.signal.reason).toMatchObject({ code: 'ERR_ESCAPEMENT_LEASE_LOST' })
  const before = extended()
  await clock.advance(10 * LEASE)
  expect(extended()).toBe(before)
})

test('an answer that never comes costs the mutex at its deadline', async () => {
  const clock = new VirtualClock()
  const { made } = hold(clock, () => new Promise(() => {}))
  await clock.advance(LEASE)
  expect(made.signal.reason).toMatchObject({ code: 'ERR_ESCAPEMENT_LEASE_LOST' })
})
