import { createHash } from 'node:crypto'
import prelude from './prelude.lua'

/** A Lua script, and the hash Redis knows it by. */
export interface Script {
  readonly source: string
  readonly sha: string
}

/** A script that begins with prelude.lua. */
export function script(body: string): Script {
  return plainScript(prelude + body)
}

export function plainScript(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/**
 * The same script with a name that only the servers know which were given it with LOAD: such a script is never given
 * again, so a server that executes it is the one that was given it. It tells servers apart where INFO is forbidden.
 */
export function marked({ source }: Script, mark: string): Script {
  return plainScript(source.replace("local MARK = ''", `${LOAD}\nlocal MARK = '${mark}'`))
}

const LOAD = "if ARGV[1] == 'load' then return 1 end"
