import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'
import { Keeper } from '../src/keeper.ts'
import { parseOptions } from '../src/options.ts'
import type { Writer } from '../src/writer.ts'

test('a look that is under way when the store stops is the last one', async () => {
  const clock = new VirtualClock()
  const answers: ((told: unknown) => void)[] = []
  const ask = () => new Promise((resolve) => answers.push(resolve))
  const keeper = new Keeper({ clock, ask } as unknown as Writer, parseOptions({ redis: 'redis://x' }))
  const told = ['name', '0', 0, 'noeviction', '0', 0, []]
  const started = keeper.start()
  answers[0]?.(told)
  await started
  await clock.advance(2_000)
  expect(answers).toHaveLength(2)
  keeper.stop()
  answers[1]?.(told)
  await clock.advance(60_000)
  expect([answers.length, clock.pending]).toEqual([2, 0])
})
