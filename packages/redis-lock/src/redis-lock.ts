import { randomBytes } from 'node:crypto'
import {
  type Claim,
  EscapementError,
  type Host,
  type Job,
  type JobDefaults,
  type Lock,
  type Maybe,
  type Plugin,
  type Refusal,
  type Run,
  type StopInfo,
} from '@escapement/core'
import { Claims } from './claim/claims.ts'
import { QuorumClaims } from './claim/quorum-claims.ts'
import { StandbyClaims } from './claim/standby-claims.ts'
import { CompletionWriter, type Ending } from './end/completion-writer.ts'
import { Records } from './end/records.ts'
import { type ClaimTarget, instanceOf, Keys, nameOf } from './keys.ts'
import { Exclusive } from './lease/exclusive.ts'
import { Leases } from './lease/lease.ts'
import { Members } from './members/members.ts'
import { RendezvousRank } from './members/rendezvous-rank.ts'
import { Nodes } from './nodes/nodes.ts'
import { RunObserver } from './nodes/run-observer.ts'
import { DEFAULT_NAMESPACE, parseOptions, type RedisLockOptions, type Settings } from './options.ts'
import { Recover } from './recovery/recover.ts'
import { Screen } from './recovery/screen.ts'
import { LEAVE } from './scripts/index.ts'
import { sharedFleet } from './shared.ts'
import './events.ts'

/** How many parts the keys of a Cluster are spread over. All instances must agree on it. */
const CLUSTER_SHARDS = 16
/** A machine's clock this far from Redis's is worth a warning, in ms. */
const SKEW_WARNING_MS = 1000
/** What is left of a stop's time for the rest, in ms. */
const STOP_MARGIN_MS = 100
/** How many ticks one line names. */
const MAX_NAMED_TICKS = 20

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
  let fleet: Fleet | undefined
  let host: Host | undefined
  const shared = sharedFleet({
    namespace: settings.namespace,
    nodes: () => fleet?.nodes ?? [],
    host: () => host,
  })
  const joined = (): Fleet => {
    if (fleet) return fleet
    throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', 'redisLock() was not given to a scheduler')
  }
  const lock: Lock = {
    claim: (run, { exclusive }) => joined().claim(run, exclusive),
    claimDelay: (job, at, now) => joined().claimDelay(job, at, now),
    trouble: () => fleet?.trouble,
    exclusive: (name, fn, signal) => joined().exclusive(name, fn, signal),
  }
  const defaults: JobDefaults = {
    ...(settings.onAbandoned && { onAbandoned: settings.onAbandoned }),
    ...(settings.onLockUnavailable && { onLockUnavailable: settings.onLockUnavailable }),
  }
  return {
    name: 'redis-lock',
    lock,
    ...(settings.fleet && { fleet: shared }),
    defaults,
    setup(given) {
      if (fleet) {
        const message = 'each scheduler needs a redisLock() of its own: this one has a scheduler already'
        throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message)
      }
      host = given
      fleet = new Fleet(settings, given)
    },
    start: () => joined().start(),
    async stop(info) {
      await shared.leave()
      await joined().stop(info)
    },
  }
}

/**
 * How long an instance counts as alive after its last sign of life, in ms: it misses no two scans, and if it died, it is out by the
 * time its leases are over.
 */
function aliveFor({ lease, scan }: Settings): number {
  return Math.round(Math.min(3 * scan, Math.max(lease, 1.5 * scan)))
}

/** What one instance knows of its fleet: the parts, and which of them calls which. */
class Fleet {
  readonly #host: Host
  readonly #settings: Settings
  readonly #keys: Keys
  readonly #nodes: Nodes
  readonly #ranks: RendezvousRank
  readonly #claims: Claims
  readonly #ends: CompletionWriter
  readonly #leases: Leases
  readonly #recover: Recover
  readonly #screen: Screen
  readonly #mutexes: Exclusive
  #started = false
  /** Mutexes in use. */
  #using = 0
  #skew = 0

  constructor(settings: Settings, host: Host) {
    this.#host = host
    this.#settings = settings
    const { clock, log } = host
    // Two processes may have been given the same name.
    const self = `${host.instance.replaceAll(/[|\s]/g, '_')}/${randomBytes(3).toString('hex')}`
    const clustered = settings.clients.some((client) => typeof client !== 'string' && client.isCluster)
    const keys = new Keys(settings.namespace, clustered ? CLUSTER_SHARDS : 1)
    const observer = new RunObserver(keys, settings.lease)
    const members = new Members({
      ...{ clock, log, self, lease: settings.lease, scan: settings.scan, timezone: host.timezone },
      shared: settings.namespace === DEFAULT_NAMESPACE,
      jobs: () => host.jobs(),
    })
    const ranks = new RendezvousRank(self, (job) => members.lacking(job))
    const nodes = new Nodes(settings, {
      clock,
      keys,
      members,
      log,
      self: () => (this.#started ? self : ''),
      timeout: settings.timeout,
      alive: aliveFor(settings),
      acks: settings.replicaAcks,
      onGreet: (node, shard, greeting) => {
        if (shard === 0) ranks.instances = greeting.instances
        if (!this.#started) return
        if (shard === 0 && members.learn(greeting)) ranks.renew()
        this.#ends.hurry()
        this.#ends.greeted(node.name, shard, greeting.born)
        const lost = observer.look(node, shard, greeting)
        const cases = [...lost].flatMap(([member, by]) => {
          const subject = keys.parse(member)
          return subject ? [{ subject, witnessed: true, by: by && instanceOf(by) }] : []
        })
        void this.#recover.take(cases)
        this.#screen.look(node, shard, greeting)
      },
      onOffset: (offset) => this.#setClock(offset),
      onStep: (node, by) => this.#tellSkew(by, node.name),
    })
    const onFenced = (of: { subject: ClaimTarget; fence: number }, by: string) => {
      const { job } = of.subject
      const tick = nameOf(of.subject)
      log.warn({ job, tick, fence: of.fence, by }, `${tick} was taken over by ${by}`)
      host.emit('fenced', { job, tick, fence: of.fence, by })
    }
    const sent = () => ({ monotonic: clock.monotonic(), wall: clock.now() })
    this.#keys = keys
    this.#nodes = nodes
    this.#ranks = ranks
    this.#ends = new CompletionWriter({ clock, nodes, keys, settings, onFenced })
    this.#leases = new Leases({ clock, settings, ends: this.#ends, nodes, keys, onFenced })
    const quorumClaims = new QuorumClaims(nodes, keys, settings, sent)
    this.#claims = new Claims({
      host,
      settings,
      keys,
      nodes,
      quorumClaims,
      leases: this.#leases,
      ends: this.#ends,
      ranks,
      standbyClaims: new StandbyClaims(nodes, observer, clock),
      contends: (job) => this.#recover.contends(job),
    })
    const token = () => this.#claims.token()
    const records = new Records(clock, nodes, keys, settings)
    const { leases, ends } = { leases: this.#leases, ends: this.#ends }
    this.#recover = new Recover({ host, settings, records, quorumClaims, leases, ends, token })
    const recover = this.#recover
    this.#screen = new Screen({ clock, settings, keys, self, leases, ends, records, recover, observer })
    this.#mutexes = new Exclusive(clock, nodes, keys, settings)
    for (const event of ['added', 'removed'] as const) host.on(event, () => members.renew())
    host.on('drain', () => {
      this.#leases.draining = true
    })
    host.on('clock-step', () => {
      nodes.follow()
      this.#leases.renew()
    })
  }

  /** Never rejects. Answers at once where it was seen that another instance has the tick. */
  claim(run: Run, leased: boolean): Maybe<Claim | Refusal> {
    return this.#claims.seen(run) ?? this.#claim(run, leased)
  }

  async #claim(run: Run, leased: boolean): Promise<Claim | Refusal> {
    try {
      await this.#nodes.open()
      return await this.#claims.claim(run, leased)
    } catch (error) {
      return { granted: false, reason: 'claim-unavailable', error: error as Error }
    }
  }

  /** Why ticks cannot be claimed as they should. */
  get trouble(): string | undefined {
    return this.#nodes.trouble
  }

  get nodes(): Nodes['all'] {
    return this.#nodes.all
  }

  claimDelay(job: Job, at: number, now: number): number {
    return this.#claims.claimDelay(job, at, now)
  }

  /** Also for a scheduler that is not started: then the connections are closed again. */
  async exclusive<T>(
    ...args: [name: string, fn: (signal: AbortSignal) => Maybe<T>, signal?: AbortSignal]
  ): Promise<T> {
    this.#using++
    try {
      return await this.#mutexes.run(...args)
    } finally {
      this.#using--
      if (!this.#started && this.#using === 0) await this.#nodes.close()
    }
  }

  async start(): Promise<void> {
    this.#started = true
    this.#leases.draining = false
    await this.#nodes.open()
    this.#nodes.tell()
  }

  async stop({ deadline }: StopInfo): Promise<void> {
    const left = await this.#ends.flush(Math.max(0, deadline - this.#settings.timeout - STOP_MARGIN_MS))
    if (left.length > 0) this.#tellUnwritten(left)
    await this.#leave()
  }

  #tellUnwritten(ends: readonly Ending[]): void {
    const ticks = ends.slice(0, MAX_NAMED_TICKS).map(({ subject }) => nameOf(subject))
    const more = ends.length > MAX_NAMED_TICKS ? ` and ${ends.length - MAX_NAMED_TICKS} more` : ''
    this.#host.log.error(
      { ticks, count: ends.length },
      `redis-lock: the stop was over before Redis could be told what became of ${ticks.join(', ')}${more}: ` +
        'the other instances take this for abandoned',
    )
  }

  async #leave(): Promise<void> {
    this.#started = false
    const { self } = this.#ranks
    const keys = [this.#keys.instances(0), ...this.#keys.member(self)]
    const left = this.#nodes.all.map((node) => node.tell(LEAVE, keys, [self]))
    await Promise.allSettled(left)
    this.#leases.close()
    this.#ends.close()
    await this.#nodes.close()
  }

  #setClock(offset: number): void {
    // The scheduler has said that it does not follow.
    if (this.#host.adjustClock(offset) === false) return
    if (Math.abs(offset - this.#skew) < SKEW_WARNING_MS) return
    this.#skew = offset
    if (Math.abs(offset) >= SKEW_WARNING_MS) this.#tellSkew(offset)
  }

  #tellSkew(skew: number, node?: string): void {
    const ms = Math.round(skew)
    const level = Math.abs(ms) > this.#settings.maxClockSkew ? 'error' : 'warn'
    const message = node
      ? `the clock of Redis ${node} was set by ${ms} ms`
      : `this machine's clock differs from Redis's by ${ms} ms: the schedule follows Redis`
    this.#host.log[level]({ skew_ms: ms, node }, `redis-lock: ${message}`)
    this.#host.emit('clock-skew', { skew: ms, ...(node !== undefined && { node }) })
  }
}
