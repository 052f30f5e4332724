import type { Entry, Keyspace } from './keyspace.ts'

/** What a command sees of its server. */
export interface Context {
  readonly space: Keyspace
  /** The server's wall time in µs. */
  readonly micros: number
  readonly info: string
}

/** As RESP has it: null for nil, a number, a text, or a list. */
export type Reply = null | number | string | Reply[]

type Command = (context: Context, args: string[]) => Reply

/** The commands that the scripts use, with Redis 7's semantics. Another one is an error, so that nothing differs in silence. */
export const commands: Readonly<Record<string, Command>> = {
  TIME: ({ micros }) => [String(Math.floor(micros / 1e6)), String(Math.floor(micros % 1e6))],
  INFO: ({ info }) => info,
  GET: (context, [key]) => textAt(context, key as string),
  MGET: (context, keys) => keys.map((key) => textAt(context, key)),
  SET(context, [key = '', value = '', ...options]) {
    let expires = Infinity
    for (let i = 0; i < options.length; i++) {
      const option = (options[i] as string).toUpperCase()
      if (option === 'NX') {
        if (entry(context, key)) return null
      } else if (option === 'PX') {
        const ms = integer(options[++i])
        if (ms <= 0) throw new Error("ERR invalid expire time in 'set' command")
        expires = context.micros / 1000 + ms
      } else throw new Error(`ERR SET ${option} is not simulated`)
    }
    context.space.set(key, { value, expires })
    return 'OK'
  },
  DEL: ({ space }, keys) => keys.filter((key) => space.delete(key)).length,
  EXISTS: (context, keys) => keys.filter((key) => entry(context, key)).length,
  PEXPIRE(context, [key = '', ms]) {
    const found = entry(context, key)
    if (!found) return 0
    found.expires = context.micros / 1000 + integer(ms)
    return 1
  },
  ZADD(context, [key = '', ...pairs]) {
    const set = scores(context, key, true)
    let added = 0
    for (let i = 0; i < pairs.length; i += 2) {
      const member = pairs[i + 1] as string
      if (!set.has(member)) added++
      set.set(member, score(pairs[i]))
    }
    return added
  },
  ZREM(context, [key = '', ...members]) {
    const set = scores(context, key)
    const removed = members.filter((member) => set.delete(member)).length
    if (set.size === 0) context.space.delete(key)
    return removed
  },
  ZSCORE: (context, [key = '', member = '']) => {
    const found = scores(context, key).get(member)
    return found === undefined ? null : String(found)
  },
  ZCARD: (context, [key = '']) => scores(context, key).size,
  ZRANGE(context, [key = '', from, to, ...options]) {
    const all = sorted(scores(context, key))
    const last = integer(to) < 0 ? all.length + integer(to) : integer(to)
    return listed(all.slice(integer(from), last + 1), options)
  },
  ZRANGEBYSCORE(context, [key = '', low, high, ...options]) {
    const within = sorted(scores(context, key)).filter(([, at]) => at >= score(low) && at <= score(high))
    const limit = options.findIndex((option) => option.toUpperCase() === 'LIMIT')
    const page =
      limit < 0 ? within : within.slice(integer(options[limit + 1])).slice(0, integer(options[limit + 2]))
    return listed(page, options)
  },
  ZREMRANGEBYSCORE(context, [key = '', low, high]) {
    const set = scores(context, key)
    const out = [...set].filter(([, at]) => at >= score(low) && at <= score(high))
    for (const [member] of out) set.delete(member)
    if (set.size === 0) context.space.delete(key)
    return out.length
  },
  HSET(context, [key = '', ...pairs]) {
    const hash = fields(context, key, true)
    let added = 0
    for (let i = 0; i < pairs.length; i += 2) {
      if (!hash.has(pairs[i] as string)) added++
      hash.set(pairs[i] as string, pairs[i + 1] as string)
    }
    return added
  },
  HGET: (context, [key = '', field = '']) => fields(context, key).get(field) ?? null,
  HGETALL: (context, [key = '']) => [...fields(context, key)].flat(),
  HDEL: (context, [key = '', ...names]) => names.filter((name) => fields(context, key).delete(name)).length,
}

function entry({ space, micros }: Context, key: string): Entry | undefined {
  const found = space.get(key)
  if (!found) return
  if (found.expires > micros / 1000) return found
  space.delete(key)
}

function textAt(context: Context, key: string): string | null {
  const value = entry(context, key)?.value
  return typeof value === 'string' ? value : null
}

function scores(context: Context, key: string, make = false): Map<string, number> {
  return mapAt(context, key, make) as Map<string, number>
}

function fields(context: Context, key: string, make = false): Map<string, string> {
  return mapAt(context, key, make) as Map<string, string>
}

function mapAt(context: Context, key: string, make: boolean): Map<string, unknown> {
  const found = entry(context, key)?.value
  if (typeof found === 'string')
    throw new Error('WRONGTYPE Operation against a key holding the wrong kind of value')
  const map = found ?? new Map<string, never>()
  if (!found && make) context.space.set(key, { value: map as Map<string, number>, expires: Infinity })
  return map as Map<string, unknown>
}

function sorted(set: Map<string, number>): [string, number][] {
  return [...set].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
}

function listed(pairs: [string, number][], options: string[]): Reply {
  const withScores = options.some((option) => option.toUpperCase() === 'WITHSCORES')
  return pairs.flatMap(([member, at]) => (withScores ? [member, String(at)] : [member]))
}

function integer(text: string | undefined): number {
  if (text === undefined || !/^-?\d+$/.test(text))
    throw new Error('ERR value is not an integer or out of range')
  return Number(text)
}

function score(text: string | undefined): number {
  if (text === '-inf') return -Infinity
  if (text === '+inf') return Infinity
  const number = Number(text)
  if (text === undefined || text === '' || Number.isNaN(number))
    throw new Error('ERR value is not a valid float')
  return number
}
