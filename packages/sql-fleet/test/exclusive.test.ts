import type { Claim } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'
import { Exclusive } from '../src/claims/exclusive.ts'

/** A mutex that another process holds until it is freed. */
function heldElsewhere() {
  let free = false
  let asked = 0
  const claim = {
    onLost: () => () => {},
    complete: async () => {
      free = true
    },
  } as unknown as Claim
  return {
    free: () => {
      free = true
    },
    asked: () => asked,
    acquire: async () => {
      asked++
      if (!free) return undefined
      free = false
      return claim
    },
  }
}

test('whoever has waited longest in a process has the mutex first', async () => {
  const clock = new VirtualClock('2026-11-20T09:00:00Z')
  const exclusive = new Exclusive(clock)
  const mutex = heldElsewhere()
  const order: string[] = []
  const ask = (who: string) =>
    exclusive.run({ name: 'report', acquire: mutex.acquire }, () => void order.push(who))
  const asked = [ask('first'), ask('second')]
  await clock.advance(5000)
  mutex.free()
  // It comes at the very moment when the mutex is free.
  asked.push(ask('third'))
  await clock.advance(1000)
  await Promise.all(asked)
  expect(order).toEqual(['first', 'second', 'third'])
})

test('only one of those who wait in a process asks the database', async () => {
  const clock = new VirtualClock('2026-11-20T09:00:00Z')
  const exclusive = new Exclusive(clock)
  const mutex = heldElsewhere()
  const asked = Array.from({ length: 50 }, () =>
    exclusive.run({ name: 'report', acquire: mutex.acquire }, () => {}),
  )
  await clock.advance(1000)
  expect(mutex.asked()).toBeLessThan(1000 / 50 + 2)
  mutex.free()
  await clock.advance(1000)
  await Promise.all(asked)
})

test('one that gives up does not keep the next one waiting', async () => {
  const clock = new VirtualClock('2026-11-20T09:00:00Z')
  const exclusive = new Exclusive(clock)
  const mutex = heldElsewhere()
  const given = new AbortController()
  const first = exclusive.run({ name: 'report', acquire: mutex.acquire, signal: given.signal }, () => 'first')
  const refused = expect(first).rejects.toThrow('no time')
  const second = exclusive.run({ name: 'report', acquire: mutex.acquire }, () => 'second')
  given.abort(new Error('no time'))
  await clock.advance(1000)
  await refused
  mutex.free()
  await clock.advance(1000)
  expect(await second).toBe('second')
})
