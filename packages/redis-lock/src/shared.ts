import { type Host, type Logger, systemClock } from '@escapement/core'
import { Troubles } from '@escapement/core/plugin'
import { execute, SharedFleet } from '@escapement/redis-fleet'
import type { Node } from './nodes/node.ts'

/** How long it may fail until it is reported, in ms: the lock finds out within that time what is wrong with a Redis. */
const PATIENCE_MS = 10_000

interface SharedParts {
  readonly namespace: string
  /** The masters; none when the lock is not started. */
  readonly nodes: () => readonly Node[]
  readonly host: () => Host | undefined
}

/** Pauses, commands and members over the masters of the lock: a majority decides. */
export function sharedFleet({ namespace, nodes, host }: SharedParts): SharedFleet {
  // As all keys of the lock it begins with `{namespace:`: its rights hold.
  const key = `{${namespace}:fleet}:meta`
  let troubles: Troubles | undefined
  /** Since when it fails, on the monotonic clock. */
  let failing: number | undefined
  const known = () => {
    const given = host()
    if (given) troubles ??= new Troubles(given.log as Logger, given.clock)
    return troubles
  }
  return new SharedFleet({
    masters: () =>
      nodes().map((node) => ({
        async ask(script, args) {
          if (!node.usable) throw new Error(`Redis ${node.name} cannot be used`)
          return execute(node.client, script, key, args)
        },
      })),
    clock: () => host()?.clock ?? systemClock,
    onFault(error) {
      // The lock itself says that a Redis cannot be used, as soon as it has noticed.
      if (nodes().length === 0 || nodes().some(({ usable }) => !usable)) return
      const now = (host()?.clock ?? systemClock).monotonic()
      failing ??= now
      if (now - failing < PATIENCE_MS) return
      known()?.fail('redis-lock.fleet', error, 'pauses and commands of other instances wait')
    },
    onRead() {
      failing = undefined
      known()?.works('redis-lock.fleet')
    },
  })
}
