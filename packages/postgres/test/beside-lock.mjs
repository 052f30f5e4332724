import { postgres } from '@escapement/postgres'
import pg from 'pg'
import { redisLock } from '../../redis-lock/dist/index.js'

const TIMES = { lease: '3s', heartbeat: '500ms', scan: '500ms', guard: false }

/** A lock in Redis, beside the history in PostgreSQL. */
export const make = ({ config, redis, schema }) => [
  redisLock({ clients: [redis], namespace: schema, ...TIMES }),
  postgres({ pool: new pg.Pool(config), schema, lock: false, heartbeat: '200ms', lease: '1s' }),
]
