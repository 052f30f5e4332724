import { postgres } from '@escapement/postgres'
import { fleetContract, lockContract, retentionContract, storeContract } from '@escapement/testing'
import type pg from 'pg'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openStore } from './open-store.ts'
import { type Server, startServer } from './server.ts'
import { sessionless } from './sessionless.ts'

let server: Server
let pool: pg.Pool
beforeAll(async () => {
  server = await startServer()
  pool = server.pool({ max: 20 })
})
afterAll(() => server?.close())

describe('postgres store', () => {
  for (const { name, run } of storeContract({ open: (name, retention) => openStore(pool, name, retention) }))
    test(name, run)
})

describe('postgres fleet', () => {
  const plugin = (schema: string) => postgres({ pool, schema, heartbeat: '100ms', lease: '2s' })
  for (const { name, run } of fleetContract({ plugin })) test(name, run)
})

describe('what postgres keeps', () => {
  const cases = retentionContract({
    plugin: (name, retention) => postgres({ pool, schema: `kept_${name}`, retention }),
  })
  for (const { name, run } of cases) test(name, run)
})

describe('postgres lock', () => {
  const cases = lockContract({
    pauses: true,
    plugin: (schema, { lease, heartbeat }) => postgres({ pool, schema: `lock_${schema}`, lease, heartbeat }),
  })
  for (const { name, run } of cases) test(name, run)
})

describe('postgres lock, each statement in another session', () => {
  const cases = lockContract({
    pauses: true,
    plugin: (schema, { lease, heartbeat }) =>
      postgres({ pool: sessionless(pool), schema: `nosession_${schema}`, lease, heartbeat }),
  })
  for (const { name, run } of cases) test(name, run)
})

describe('postgres lock and a server that fails', () => {
  const cases = lockContract({
    pauses: true,
    plugin: (schema, { lease, heartbeat }) => postgres({ pool, schema: `fault_${schema}`, lease, heartbeat }),
    fault: { break: () => server.kill(), heal: () => server.start() },
  })
  for (const { name, run } of cases.slice(-1)) test(name, run)
})
