import type { Claim, Lock, Plugin, Refusal } from '@escapement/core'
import { Redis } from 'ioredis'

/** What is often built instead, to be seen failing. */
export type Naive = 'lock-only' | 'lock-at-least' | 'watermark'

const TTL = 10_000
const AT_LEAST = 900
const RELEASE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) > 0 then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('DEL', KEYS[1])`
const ADVANCE = `if tonumber(redis.call('GET', KEYS[1]) or 0) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`

export function naive(design: Naive, { url }: { url: string }): Plugin {
  const redis = new Redis(url, { commandTimeout: 500, maxRetriesPerRequest: 0, enableOfflineQueue: false })
  redis.on('error', () => {})
  const lock: Lock = {
    async claim(run): Promise<Claim | Refusal> {
      const began = performance.now()
      try {
        if (design === 'watermark') {
          const at = run.tick.scheduledAt.getTime()
          const won = await redis.eval(ADVANCE, 1, `watermark:${run.job.name}`, at)
          return won ? granted(async () => {}) : elsewhere
        }
        const key = `lock:${run.job.name}`
        if (!(await redis.set(key, run.id, 'PX', TTL, 'NX'))) return elsewhere
        return granted(async () => {
          const rest = AT_LEAST - (performance.now() - began)
          await redis.eval(
            RELEASE,
            1,
            key,
            run.id,
            design === 'lock-at-least' ? Math.max(0, Math.ceil(rest)) : 0,
          )
        })
      } catch (error) {
        return { granted: false, reason: 'claim-unavailable', error: error as Error }
      }
    },
  }
  return {
    name: design,
    lock,
    async start() {
      while (redis.status !== 'ready') await new Promise((resolve) => setTimeout(resolve, 10))
    },
    stop: () => redis.disconnect(),
  }
}

const elsewhere: Refusal = { granted: false, reason: 'claimed-elsewhere' }

function granted(finish: () => Promise<void>): Claim {
  return {
    granted: true,
    held: () => true,
    onLost: () => () => {},
    complete: () => finish().catch(() => {}),
    release: async () => {},
  }
}
