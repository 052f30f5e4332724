import { redisLock } from '@escapement/redis-lock'
import { lockContract } from '@escapement/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { RedisServer } from './redis-server.ts'

const servers: RedisServer[] = []
beforeAll(async () => {
  for (let i = 0; i < 3; i++) servers.push(await RedisServer.start())
})
afterAll(() => Promise.all(servers.map((server) => server.stop())))

describe.each([1, 3])('redis lock on %d', (count) => {
  const cases = lockContract({
    plugin: (namespace, { lease, heartbeat }) =>
      redisLock({
        clients: servers.slice(0, count).map(({ url }) => url),
        namespace: `${namespace}-${count}`,
        lease,
        heartbeat,
        scan: heartbeat,
        // These servers are young, and would not give a lease for a while.
        guard: false,
      }),
    fault: {
      async break() {
        for (const server of servers) server.hang()
      },
      async heal() {
        for (const server of servers) server.resume()
      },
    },
  })
  for (const { name, run } of cases) test(name, run)
})
