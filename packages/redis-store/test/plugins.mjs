import { redisLock } from '@escapement/redis-lock'
import { redisStore } from '@escapement/redis-store'

const TIMES = { lease: '3s', heartbeat: '500ms', scan: '500ms', guard: false }

/** A fleet that has only Redis. */
export const make = ({ redis, prefix }) => [
  redisLock({ clients: [redis], namespace: prefix, ...TIMES }),
  redisStore({ redis, prefix }),
]
