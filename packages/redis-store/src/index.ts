export type { RedisClient } from '@escapement/redis-fleet'
export type { RedisRetention, RedisStoreOptions } from './options.ts'
export { redisStore } from './redis-store.ts'
