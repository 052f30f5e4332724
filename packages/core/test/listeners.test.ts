import { manual, type Run } from '@escapement/core'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const wait = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    setImmediate(resolve)
  })
const thirty = <T>(act: () => T) => Promise.all(Array.from({ length: 30 }, act))

test.each<[string, (run: Run) => Promise<unknown>]>([
  ['waits on run.signal', (run) => thirty(() => wait(run.signal))],
  ['calls of exclusive()', (run) => thirty(() => run.exclusive('x', wait))],
  ['waits under exclusive()', (run) => run.exclusive('x', (signal) => thirty(() => wait(signal)))],
  ['groups', (run) => thirty(() => run.group().add(wait))],
  [
    'waits in a group',
    (run) => thirty(() => run.group().signal).then((all) => thirty(() => wait(all[0] as AbortSignal))),
  ],
])('thirty %s at a time make no warning', async (_, handler) => {
  const warnings: string[] = []
  const listen = (warning: Error) => void warnings.push(warning.message)
  process.on('warning', listen)
  const { scheduler } = harness()
  scheduler.job('a', manual(), handler)
  scheduler.job('b', manual(), { timeout: '1m' }, handler)
  for (const name of ['a', 'b']) {
    expect((await scheduler.run(name, undefined, { wait: true })).outcome).toBe('succeeded')
  }
  // Node reports them at the end of a turn.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listen)
  expect(warnings).toEqual([])
})

test('thirty waits for one name leave no listener on the signal that was given', async () => {
  const { scheduler } = harness()
  const { signal } = new AbortController()
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--
    remove(...args)
  }
  await thirty(() => scheduler.exclusive('x', () => new Promise((resolve) => setImmediate(resolve)), signal))
  expect(listeners).toBe(0)
})
