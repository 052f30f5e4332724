import { createScheduler, manual } from '@escapement/core'
import { postgres, schemaSql } from '@escapement/postgres'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client } from '../src/client.ts'
import { migrate } from '../src/migrate.ts'
import { additions, migrations } from '../src/schema.ts'
import { type Server, startServer } from './server.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

let server: Server
let pool: pg.Pool
let limited: pg.Pool
beforeAll(async () => {
  server = await startServer()
  pool = server.pool({ max: 5 })
  await pool.query('CREATE ROLE app LOGIN')
  limited = server.pool({ max: 5, user: 'app' })
})
afterAll(() => server?.close())

function instance(schema: string) {
  const plugin = postgres({ pool: limited, schema, migrate: false })
  const scheduler = createScheduler({ plugins: [plugin], logger: quiet })
  scheduler.job('a', manual(), () => 'done')
  return scheduler
}

async function grant(schema: string): Promise<void> {
  await pool.query(`GRANT USAGE ON SCHEMA ${schema} TO app`)
  await pool.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO app`)
}

test('a role without the right to make tables runs with the statements that are printed', async () => {
  await pool.query(schemaSql({ schema: 'printed' }))
  // What is there stays as it is.
  await pool.query(schemaSql({ schema: 'printed' }))
  await grant('printed')
  const scheduler = instance('printed')
  await scheduler.start()
  const run = await scheduler.run('a', undefined, { wait: true })
  expect(run).toMatchObject({ outcome: 'succeeded', result: 'done' })
  await scheduler.pause('a')
  const [counted] = await scheduler.stats({ from: Date.now() - 3_600_000 })
  expect(counted?.outcomes).toEqual({ succeeded: 1 })
  await scheduler.stop()
})

test('the statements that are printed make what a start makes', async () => {
  await migrate(new Client(pool, 'started', 10_000), 'started')
  const objects = async (schema: string) => {
    const sql = `
      SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS object
      FROM information_schema.columns WHERE table_schema = $1
      UNION ALL SELECT replace(indexdef, $1 || '.', '') FROM pg_indexes WHERE schemaname = $1
      UNION ALL SELECT event_object_table || ' ' || trigger_name FROM information_schema.triggers WHERE trigger_schema = $1
      ORDER BY object`
    return (await pool.query(sql, [schema])).rows
  }
  expect((await objects('printed')).length).toBeGreaterThan(50)
  expect(await objects('printed')).toEqual(await objects('started'))
})

test('with migrate: false an older schema is refused with what is missing, and not touched', async () => {
  await migrate(new Client(pool, 'old', 10_000), 'old', migrations, additions.slice(0, 1))
  await grant('old')
  await expect(instance('old').start()).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_STORE',
    message: expect.stringMatching(
      /^the schema old is older than this version needs it.*"npx escapement schema postgres --sql --schema old" prints: ALTER TABLE.*CREATE FUNCTION/,
    ),
  })
  const tables = `SELECT 1 FROM information_schema.tables WHERE table_schema = 'old' AND table_name = 'counters'`
  expect((await pool.query(tables)).rows).toEqual([])
  await pool.query(schemaSql({ schema: 'old' }))
  await grant('old')
  const scheduler = instance('old')
  await scheduler.start()
  await scheduler.stop()
})

test('with migrate: false a schema that is not there is refused', async () => {
  await expect(instance('none').start()).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_STORE',
    message: expect.stringContaining('CREATE TABLE jobs'),
  })
})
