import type { Clock } from '@escapement/core'
import { expect, test } from 'vitest'
import type { CompletionWriter } from '../src/end/completion-writer.ts'
import { Keys } from '../src/keys.ts'
import { Leases } from '../src/lease/lease.ts'
import type { Node } from '../src/nodes/node.ts'
import type { Nodes } from '../src/nodes/nodes.ts'
import { parseOptions } from '../src/options.ts'

/** Time that goes by when told; the wall clock can be set apart from the monotonic. */
function fakeTime() {
  const timers = new Map<object, { at: number; callback: () => void }>()
  const time = { mono: 0, offset: 1_000_000 }
  const clock: Clock = {
    now: () => time.mono + time.offset,
    monotonic: () => time.mono,
    setTimeout(callback, ms) {
      const timer = {}
      timers.set(timer, { at: time.mono + ms, callback })
      return timer
    },
    clearTimeout: (timer) => void timers.delete(timer),
    setImmediate: (callback) => callback(),
  }
  const pass = async (ms: number) => {
    const end = time.mono + ms
    const first = () => [...timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0]
    for (let next = first(); next; next = first()) {
      timers.delete(next[0])
      time.mono = Math.max(time.mono, next[1].at)
      next[1].callback()
      for (let i = 0; i < 10; i++) await Promise.resolve()
    }
    time.mono = end
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  return { clock, time, pass }
}

function setup(answer: () => string | Error) {
  const { clock, time, pass } = fakeTime()
  const settings = parseOptions({ clients: ['redis://x'], lease: 3000 })
  const keys = new Keys('ns', 1)
  const beats: number[] = []
  const node = {
    client: {},
    async ask() {
      beats.push(time.mono)
      const given = answer()
      if (given instanceof Error) throw given
      return [0, given]
    },
  } as unknown as Node
  const fenced: string[] = []
  const ends: string[] = []
  const leases = new Leases({
    clock,
    settings,
    keys,
    nodes: { all: [node], quorum: 1 } as unknown as Nodes,
    ends: { end: async (_: object, what: string) => void ends.push(what) } as unknown as CompletionWriter,
    onFenced: (_, by) => fenced.push(by),
  })
  const sent = { monotonic: clock.monotonic(), wall: clock.now() }
  const hold = leases.hold({
    subject: keys.tick('a', 5),
    token: 'x/1.0',
    start: 1,
    fence: 7,
    leased: true,
    sent,
  })
  let lost: Error | undefined
  hold.onLost((reason) => {
    lost = reason
  })
  return { hold, leases, time, pass, beats, fenced, ends, lost: () => lost }
}

test('a lease is renewed each beat, and held for as long', async () => {
  const { hold, pass, beats, lost } = setup(() => 'ok')
  await pass(30_000)
  expect(hold.held()).toBe(true)
  expect(lost()).toBeUndefined()
  expect(beats.length).toBeGreaterThan(22)
  expect(beats.length).toBeLessThan(32)
})

test('without an answer it is lost before it can pass to another: 1 % and 2 ms early', async () => {
  const { hold, pass, lost } = setup(() => new Error('down'))
  await pass(2967)
  expect(hold.held()).toBe(true)
  await pass(1)
  expect(hold.held()).toBe(false)
  expect(lost()).toMatchObject({ code: 'ERR_ESCAPEMENT_LEASE_LOST' })
})

test('a process that was stopped does not trust it, even before its timers fire', () => {
  const { hold, time } = setup(() => 'ok')
  time.mono += 2968
  expect(hold.held()).toBe(false)
})

test('a machine that slept does not trust it either: its wall clock tells', () => {
  const { hold, time } = setup(() => 'ok')
  time.offset += 2968
  expect(hold.held()).toBe(false)
})

test('after the wall clock was set, a renewal makes it good again', async () => {
  const { hold, leases, time, pass, lost } = setup(() => 'ok')
  time.offset += 3_600_000
  expect(hold.held()).toBe(false)
  leases.renew()
  await pass(1)
  expect(hold.held()).toBe(true)
  expect(lost()).toBeUndefined()
})

test('it is lost at once when another has taken over', async () => {
  const { hold, pass, fenced, lost } = setup(() => 'fenced|web-2/9.1')
  await pass(1100)
  expect(hold.held()).toBe(false)
  expect(fenced).toEqual(['web-2'])
  expect(lost()?.message).toContain('web-2 has taken over')
})

test('it is never renewed once Redis says it was over', async () => {
  const { hold, pass, beats } = setup(() => 'over')
  await pass(10_000)
  expect(hold.held()).toBe(false)
  expect(beats).toHaveLength(1)
})

test('a listener that comes late is called', async () => {
  const { hold, pass } = setup(() => 'over')
  await pass(1100)
  let reason: Error | undefined
  hold.onLost((error) => {
    reason = error
  })
  expect(reason).toBeDefined()
})

test.each([
  ['succeeded', 'done'],
  ['failed', 'done'],
  ['cancelled', 'done'],
  ['lease-lost', 'abandon'],
] as const)('%s is written as %s, once', async (outcome, what) => {
  const { hold, ends } = setup(() => 'ok')
  await hold.complete(outcome)
  await hold.complete(outcome)
  expect(ends).toEqual([what])
  expect(hold.held()).toBe(false)
})

test('a claim that is released is written as if it had never been, once', async () => {
  const { hold, ends } = setup(() => 'ok')
  await hold.release()
  await hold.release()
  await hold.complete('succeeded')
  expect(ends).toEqual(['undo'])
  expect(hold.held()).toBe(false)
})
