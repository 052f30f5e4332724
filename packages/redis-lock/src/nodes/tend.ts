import { randomBytes } from 'node:crypto'
import type { Clock } from '@escapement/core'
import { type Channel, isUnknownScript } from '../connection/channel.ts'
import type { Connection } from '../connection/connection.ts'
import type { Shard } from '../connection/shard.ts'
import type { Keys } from '../keys.ts'
import type { Members } from '../members/members.ts'
import { type Greeting, GUARDED, greeting, TEND } from '../scripts/index.ts'

/** How many open runs are listed at a time. */
export const LISTED_RUNS = 1000

/** What is reported and asked at each look at a shard. */
export interface TendContext {
  readonly clock: Clock
  readonly keys: Keys
  readonly members: Pick<Members, 'told' | 'others' | 'digest' | 'longest'>
  /** Names this instance among the fleet, when it is started. */
  readonly self: () => string
  /** In ms. */
  readonly alive: number
}

/** A shard, and how its Redis is asked. */
interface ReachedShard {
  readonly shard: Shard
  readonly channel: Channel
  readonly connection: Connection
}

/** Looks after a shard, and learns which server has it. */
export async function tend(reached: ReachedShard, context: TendContext): Promise<Greeting> {
  const { shard, channel, connection } = reached
  const { asked, keys, args } = question(shard, context)
  const call = () => channel.timed(shard, TEND, keys, args)
  let reply: unknown[] = []
  if (!shard.mark) reply = await call()
  if (shard.mark || reply[1] === 'anonymous') reply = await recognise(reached, keys[0] as string, call)
  if (reply.length < 3) {
    throw connection.fault(
      new Error('NOPERM INFO is needed to tell this server from its replicas, before Redis 7'),
      'info',
    )
  }
  return greeting(reply, asked)
}

/** The keys and arguments of a look, and the instances it asks about. */
function question(shard: Shard, { clock, keys, self, alive, members }: TendContext) {
  const { index } = shard
  const me = self()
  // Instances are known in the first shard only.
  const tells = me !== '' && index === 0
  const asked = tells ? members.others : []
  return {
    asked,
    keys: [
      ...[keys.born(index), keys.open(index), keys.instances(index)],
      ...(tells ? [me, ...asked].flatMap((id) => keys.member(id)) : []),
    ],
    args: [
      me,
      alive,
      shard.born === undefined ? 0 : 1,
      shard.stepped,
      LISTED_RUNS,
      members.longest,
      shard.ahead,
      shard.id,
      Math.ceil(clock.monotonic() - shard.heard),
      ...(tells ? [members.told.head, members.told.jobs] : []),
      ...asked.map((id) => members.digest(id)),
    ],
  }
}

/**
 * Where INFO is forbidden, a server is known by scripts that only it was given: by those that the fleet has noted,
 * or those we gave it before; or else it is another one, and is given some.
 */
async function recognise(
  { shard, channel, connection }: ReachedShard,
  born: string,
  call: () => Promise<unknown[]>,
): Promise<unknown[]> {
  const [noted] = await channel.read(shard, [born])
  const known = [/^(m\w+)\|/.exec(noted ?? '')?.[1], shard.mark].filter((mark) => mark)
  for (const mark of known as string[]) {
    shard.mark = mark
    try {
      return await call()
    } catch (error) {
      if (!isUnknownScript(error)) throw error
    }
  }
  shard.mark = `m${randomBytes(12).toString('hex')}`
  for (const script of GUARDED) {
    await channel.known('eval', shard, connection.client.eval(shard.variant(script).source, 1, born, 'load'))
  }
  return call()
}
