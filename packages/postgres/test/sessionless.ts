import type { PoolLike } from '@escapement/postgres'
import type pg from 'pg'

/**
 * What PgBouncer in transaction mode takes away: each statement meets a session that another one has used and
 * that knows nothing of the one before. Named statements are refused.
 */
export function sessionless(pool: pg.Pool): PoolLike {
  return {
    async query(text, values) {
      if (typeof text !== 'string') throw new Error('only plain statements: a name needs a session')
      const client = await pool.connect()
      try {
        const result = await client.query(text, values)
        await client.query('DISCARD ALL')
        return result
      } finally {
        client.release()
      }
    },
  }
}
