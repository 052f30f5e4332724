export type { RedisLike } from './connection/client.ts'
export type { ClockSkew, FencedRun, LostTick } from './events.ts'
export type { RedisLockOptions } from './options.ts'
export { redisLock } from './redis-lock.ts'
