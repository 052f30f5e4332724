import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client } from '../src/client.ts'
import { COMPACT } from '../src/counters.ts'
import { openStore } from './open-store.ts'
import { type Server, startServer } from './server.ts'

const HOUR_MS = 3_600_000

let server: Server
let pool: pg.Pool
beforeAll(async () => {
  server = await startServer()
  pool = server.pool({ max: 10 })
})
afterAll(() => server?.close())

test('instances that make days of the same hours at once lose and double nothing', async () => {
  const { close } = await openStore(pool, 'days')
  const client = new Client(pool, 'days', 5_000)
  // The hours of five days, of two jobs; some of a day that is there already.
  await client.query(
    `INSERT INTO $.counters (job, day, at, body)
     SELECT 'job ' || h % 2, 0, h::bigint * ${HOUR_MS}, jsonb_build_object('succeeded', 1, 'd' || h % 3, 2)
     FROM generate_series(0, 119) AS h
     UNION ALL SELECT 'job 0', 1, 0, '{"succeeded": 7}'`,
  )
  for (let round = 0; round < 20; round++)
    await Promise.all(Array.from({ length: 6 }, () => client.query(COMPACT, [120 * HOUR_MS, 5])))
  const rows = await client.query(
    `SELECT day, kind, sum(n::int)::int AS n FROM $.counters, jsonb_each_text(body) AS of(kind, n) GROUP BY 1, 2 ORDER BY 2`,
  )
  expect(rows).toEqual([
    { day: 1, kind: 'd0', n: 80 },
    { day: 1, kind: 'd1', n: 80 },
    { day: 1, kind: 'd2', n: 80 },
    { day: 1, kind: 'succeeded', n: 127 },
  ])
  await close()
})
