import { createHash } from 'node:crypto'
import type { RedisClient } from './client.ts'

/** A Lua script, and the hash Redis knows it by. */
export interface Script {
  readonly source: string
  readonly sha: string
}

/** @param parts Its source: a prelude first, if it has one. */
export function script(...parts: string[]): Script {
  const source = parts.join('')
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** Executes a script. All its keys have the hash tag of `key`. A server that does not know the script is given it. */
export async function execute(
  client: RedisClient,
  { source, sha }: Script,
  key: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, 1, key, ...args)
  } catch (error) {
    if (!String((error as Error | undefined)?.message).startsWith('NOSCRIPT')) throw error
    return client.eval(source, 1, key, ...args)
  }
}
