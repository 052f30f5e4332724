import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createScheduler, manual } from '@escapement/core'
import { expect, test } from 'vitest'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('history keeps what is told of a run, not its result, data, signal or parent', async () => {
  const scheduler = createScheduler({ timezone: 'UTC' })
  const held: Record<string, WeakRef<object>> = {}
  const hold = <T extends object>(name: string, value: T): T => {
    held[name] = new WeakRef(value)
    return value
  }
  scheduler.job('report', manual(), (run) => {
    hold('run', run)
    hold('signal', run.signal)
    return hold('result', { rows: new Array(1000) })
  })
  await (async () => {
    const run = await scheduler.run('report', hold('data', { of: 'May' }), { wait: true })
    expect(run.result).toBe(held.result?.deref())
    expect((await scheduler.history())[0]?.id).toBe(run.id)
  })()
  await turn()
  collect()
  expect(Object.keys(held).filter((name) => held[name]?.deref())).toEqual([])
  expect(await scheduler.history({ job: 'report' })).toMatchObject([{ state: 'succeeded' }])
})
