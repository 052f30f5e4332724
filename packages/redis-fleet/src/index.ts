export { checkRedis, type OpenClient, openClient, type RedisClient } from './client.ts'
export { execute, type Script, script } from './script.ts'
