import { postgres } from '@escapement/postgres'
import { lockContract, storeContract } from '@escapement/testing'
import type pg from 'pg'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startBouncer } from './bouncer.ts'
import { openStore } from './open-store.ts'
import { type Server, startServer } from './server.ts'

let server: Server
let bouncer: Awaited<ReturnType<typeof startBouncer>>
let pool: pg.Pool
beforeAll(async () => {
  server = await startServer()
  bouncer = await startBouncer(server)
  pool = server.pool({ ...bouncer.config, max: 20 })
})
afterAll(async () => {
  await pool?.end()
  await bouncer?.close()
  await server?.close()
})

describe('behind PgBouncer in transaction mode: the store', () => {
  const open = (name: string, retention?: { runs: number }) => openStore(pool, name, retention)
  for (const { name, run } of storeContract({ open })) test(name, run)
})

describe('behind PgBouncer in transaction mode: the lock', () => {
  const cases = lockContract({
    pauses: true,
    plugin: (schema, { lease, heartbeat }) => postgres({ pool, schema, lease, heartbeat }),
  })
  for (const { name, run } of cases) test(name, run)
})
