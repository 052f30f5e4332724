import type { Redis } from 'ioredis'
import type { RedisLike } from '../src/index.ts'

/** A Redis whose clock can be set, as far as scripts see it. */
export class ShiftedClock {
  /** By how much it is ahead, in ms. */
  by = 0

  client(real: Redis): RedisLike {
    const time = () =>
      `(function() local t = redis.call('TIME'); local us = t[1] * 1000000 + t[2] + ${this.by * 1000}
return { string.format('%.0f', math.floor(us / 1000000)), string.format('%.0f', us % 1000000) } end)()`
    const client: RedisLike = {
      get status() {
        return real.status
      },
      options: real.options,
      // It knows no script, so that each is sent with the clock as it is now.
      evalsha: () => Promise.reject(new Error('NOSCRIPT')),
      eval: (script, keys, ...args) => real.eval(script.replace("redis.call('TIME')", time()), keys, ...args),
      mget: (...keys) => real.mget(...keys),
      connect: () => real.connect(),
      disconnect: (again) => real.disconnect(again),
      on: (event, listener) => real.on(event, listener),
      off: (event, listener) => real.off(event, listener),
    }
    return client
  }
}
