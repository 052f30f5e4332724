import { createScheduler } from '@escapement/core'
import { redisStore } from '@escapement/redis-store'
import { storeContract } from '@escapement/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { RedisServer } from '../../redis-lock/test/redis-server.ts'

const QUIET = { debug() {}, info() {}, warn() {}, error() {} }
let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

describe('redis store', () => {
  const cases = storeContract({
    async open(name, retention) {
      const plugin = redisStore({
        redis: server.url,
        prefix: name,
        ...(retention && { retention: { runs: retention.runs, total: retention.runs } }),
      })
      const scheduler = createScheduler({ plugins: [plugin], logger: QUIET })
      await scheduler.start()
      return { store: plugin.store as NonNullable<typeof plugin.store>, close: () => scheduler.stop() }
    },
  })
  for (const { name, run } of cases) test(name, run)
})
