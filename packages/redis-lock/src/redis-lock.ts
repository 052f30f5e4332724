import { EscapementError, type Host, type JobDefaults, type Lock, type Plugin } from '@escapement/core'
import { Instance } from './instance.ts'
import { parseOptions, type RedisLockOptions, type Settings } from './options.ts'
import { sharedFleet } from './shared.ts'
import './events.ts'

/**
 * One run per tick in the whole fleet: claims, leases and fences in one Redis, or in the majority of several.
 *
 * @param options `clients`, and see {@link RedisLockOptions}. All lengths in ms, or as `'15s'`.
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * const scheduler = createScheduler({ plugins: [redisLock({ clients: ['redis://localhost:6379'] })] })
 */
export function redisLock(options: RedisLockOptions): Plugin {
  const settings = parseOptions(options)
  let instance: Instance | undefined
  let host: Host | undefined
  const shared = sharedFleet({
    namespace: settings.namespace,
    nodes: () => instance?.nodes ?? [],
    host: () => host,
  })
  const joined = (): Instance => {
    if (instance) return instance
    throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', 'redisLock() was not given to a scheduler')
  }
  return {
    name: 'redis-lock',
    lock: lockOf(joined, () => instance?.trouble()),
    ...(settings.fleet && { fleet: shared }),
    defaults: defaultsOf(settings),
    setup(given) {
      if (instance) {
        const message = 'each scheduler needs a redisLock() of its own: this one has a scheduler already'
        throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message)
      }
      host = given
      instance = new Instance(settings, given)
    },
    start: () => joined().start(),
    async stop(info) {
      await shared.leave()
      await joined().stop(info)
    },
  }
}

function lockOf(joined: () => Instance, trouble: () => string | undefined): Lock {
  return {
    claim: (run, options) => joined().claim(run, options),
    claimDelay: (job, at, now) => joined().claimDelay(job, at, now),
    trouble,
    exclusive: (name, fn, signal) => joined().exclusive(name, fn, signal),
  }
}

function defaultsOf({ onAbandoned, onLockUnavailable }: Settings): JobDefaults {
  return { ...(onAbandoned && { onAbandoned }), ...(onLockUnavailable && { onLockUnavailable }) }
}
