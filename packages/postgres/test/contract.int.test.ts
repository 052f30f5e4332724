import { postgres } from '@escapement/postgres'
import { lockContract, storeContract } from '@escapement/testing'
import type pg from 'pg'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type Server, startServer } from './server.ts'
import { sessionless } from './sessionless.ts'

let server: Server
let pool: pg.Pool
beforeAll(async () => {
  server = await startServer()
  pool = server.pool({ max: 20 })
})
afterAll(() => server?.close())

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** Starts a plugin without a scheduler: enough for its store. */
async function opened(schema: string, retention?: { runs: number }) {
  const plugin = postgres({ pool, schema, ...(retention && { retention }) })
  const { store } = plugin
  if (!store) throw new Error('it brings a store')
  const { systemClock } = await import('@escapement/core')
  const host = { clock: systemClock, log: quiet, instance: 'test', on: () => () => {}, emit() {}, job() {} }
  plugin.attach?.(host as never)
  await plugin.start?.(host as never)
  return { store, close: async () => plugin.stop?.() }
}

describe('postgres store', () => {
  for (const { name, run } of storeContract({ open: opened })) test(name, run)
})

describe('postgres lock', () => {
  const cases = lockContract({
    plugin: (schema, { lease, beat }) =>
      postgres({ pool, schema: `lock_${schema}`, stale: lease, heartbeat: beat }),
  })
  for (const { name, run } of cases) test(name, run)
})

describe('postgres lock, each statement in another session', () => {
  const cases = lockContract({
    plugin: (schema, { lease, beat }) =>
      postgres({ pool: sessionless(pool), schema: `nosession_${schema}`, stale: lease, heartbeat: beat }),
  })
  for (const { name, run } of cases) test(name, run)
})

describe('postgres lock and a server that fails', () => {
  const cases = lockContract({
    plugin: (schema, { lease, beat }) =>
      postgres({ pool, schema: `fault_${schema}`, stale: lease, heartbeat: beat }),
    fault: { break: () => server.kill(), heal: () => server.start() },
  })
  for (const { name, run } of cases.slice(-1)) test(name, run)
})
