import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createScheduler, manual, memoryStore, type Run } from '@escapement/core'
import { expect, test } from 'vitest'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('history keeps what is shown of a run, not its result, data, signal or parent', async () => {
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
    expect(run.result).toEqual({ rows: new Array(1000).fill(null) })
    expect((await scheduler.history())[0]?.id).toBe(run.id)
  })()
  await turn()
  collect()
  expect(Object.keys(held).filter((name) => held[name]?.deref())).toEqual([])
  expect(await scheduler.history({ job: 'report' })).toMatchObject([{ state: 'succeeded' }])
})

test('history and run tell the same, however much has run since', async () => {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const plugins = [{ name: 'kept', store: memoryStore({ limit: 1000 }) }]
  const scheduler = createScheduler({ timezone: 'UTC', logger, plugins })
  scheduler.job<number>('square', manual(), ({ data }) => {
    if (data % 7 === 0) throw new Error(`not ${data}`)
  })
  const runs = []
  // The places of the first thousand are used again.
  for (let i = 0; i < 2500; i++) runs.push(await scheduler.run('square', i, { wait: true }))
  const kept = (await scheduler.history({ limit: 5000 })).reverse()
  const facts = ({ id, state, startedAt, fence }: Pick<Run, 'id' | 'state' | 'startedAt' | 'fence'>) => ({
    id,
    state,
    startedAt,
    fence,
  })
  // The ids are asked of history first.
  expect(kept.map(facts)).toEqual(runs.slice(-1000).map(facts))
  expect(kept.map(({ error }) => error?.message)).toEqual(
    runs.slice(-1000).map(({ data }) => ((data as number) % 7 === 0 ? `not ${data}` : undefined)),
  )
  const ids = runs.map(({ id }) => id)
  expect(new Set(ids).size).toBe(2500)
  expect([...ids].sort()).toEqual(ids)
})
