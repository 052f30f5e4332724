import { afterEach, expect, test } from 'vitest'
import { simulateGlobals } from '../src/globals.ts'
import { Machine } from '../src/machine.ts'
import { World } from '../src/world.ts'

let restore = () => {}

afterEach(() => {
  restore()
  Machine.running = undefined
  Machine.outside = true
})

const looks = {
  'Math.random()': () => Math.random(),
  'Date.now()': () => Date.now(),
  'performance.now()': () => performance.now(),
  'crypto.randomUUID()': () => crypto.randomUUID(),
  'setTimeout()': () => void setTimeout(() => {}, 1),
  'setInterval()': () => void setInterval(() => {}, 1),
  'setImmediate()': () => void setImmediate(() => {}),
}

test.each(Object.entries(looks))('%s of the real world throws, and is on record', (name, look) => {
  const told: string[] = []
  restore = simulateGlobals((what) => void told.push(what))
  Machine.outside = false
  let thrown: unknown
  try {
    look()
  } catch (error) {
    thrown = error
  }
  restore()
  expect(String(thrown)).toContain(name)
  expect(told).toEqual([name])
})

test('a machine has the same chance and ids for the same seed', () => {
  const draw = () => {
    restore = simulateGlobals(() => {})
    Machine.outside = false
    Machine.running = new Machine(new World(7), 'one')
    const drawn = [Math.random(), crypto.randomUUID(), Date.now(), performance.now()]
    restore()
    return drawn
  }
  expect(draw()).toEqual(draw())
})

test('an interval comes again in virtual time, until it is cleared', async () => {
  const world = new World(7)
  const machine = new Machine(world, 'one')
  const at: number[] = []
  restore = simulateGlobals(() => {})
  Machine.outside = false
  world.at(0, () =>
    machine.run(() => {
      const interval = setInterval(() => {
        at.push(Math.round(world.now))
        if (at.length === 3) clearInterval(interval)
      }, 1000)
    }),
  )
  await world.play(10_000)
  restore()
  expect(at).toEqual([1000, 2000, 3000])
})
