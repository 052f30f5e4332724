import { randomBytes } from 'node:crypto'
import type { Host } from '@escapement/core'
import { Claims } from './claim/claims.ts'
import { QuorumClaims } from './claim/quorum-claims.ts'
import { StandbyClaims } from './claim/standby-claims.ts'
import { CompletionWriter } from './end/completion-writer.ts'
import { Records } from './end/records.ts'
import { type ClaimTarget, Keys, nameOf } from './keys.ts'
import { Exclusive } from './lease/exclusive.ts'
import { Leases } from './lease/lease.ts'
import { Members } from './members/members.ts'
import { RendezvousRank } from './members/rendezvous-rank.ts'
import { ClockSkew } from './nodes/clock-skew.ts'
import { Nodes, type NodesContext } from './nodes/nodes.ts'
import { RunObserver } from './nodes/run-observer.ts'
import { DEFAULT_NAMESPACE, type Settings } from './options.ts'
import { Greetings } from './recovery/greetings.ts'
import { Recover } from './recovery/recover.ts'
import { Screen } from './recovery/screen.ts'

/** How many parts the keys of a Cluster are spread over. All instances must agree on it. */
const CLUSTER_SHARDS = 16

export interface InstanceParts {
  /** The name of this life of the process in the fleet. */
  readonly self: string
  readonly keys: Keys
  readonly nodes: Nodes
  readonly claims: Claims
  readonly leases: Leases
  readonly ends: CompletionWriter
  readonly mutexes: Exclusive
}

/** Makes the parts of an instance, each of which knows those that it calls. */
export function assemble(settings: Settings, host: Host, started: () => boolean): InstanceParts {
  const { clock } = host
  const { self, keys, members } = identify(settings, host)
  const observer = new RunObserver(keys, settings.lease)
  const ranks = new RendezvousRank(self, (job) => members.lacking(job))
  const context = { keys, members, self: () => (started() ? self : '') }
  const nodes = new Nodes(settings, {
    ...contextOf(settings, host, context),
    onGreet: (...greeted) => greetings.hear(...greeted),
  })
  const onFenced = tellFenced(host)
  const sent = () => ({ monotonic: clock.monotonic(), wall: clock.now() })
  const ends = new CompletionWriter({ clock, nodes, keys, settings, onFenced })
  const leases = new Leases({ clock, settings, ends, nodes, keys, onFenced })
  const quorumClaims = new QuorumClaims(nodes, keys, settings, sent)
  const standbyClaims = new StandbyClaims(nodes, observer, clock)
  const contends = (job: string) => recover.contends(job)
  const made = { host, clock, settings, keys, nodes, quorumClaims, leases, ends, ranks, standbyClaims }
  const claims = new Claims({ ...made, contends })
  const records = new Records(clock, nodes, keys, settings)
  const token = () => claims.token()
  const recover = new Recover({ host, settings, records, quorumClaims, leases, ends, token })
  const screen = new Screen({ clock, settings, keys, self, leases, ends, records, recover, observer })
  const greetings = new Greetings({ keys, members, ranks, ends, observer, recover, screen, started })
  for (const event of ['added', 'removed'] as const) host.on(event, () => members.renew())
  return { self, keys, nodes, claims, leases, ends, mutexes: new Exclusive(clock, nodes, keys, settings) }
}

function identify(settings: Settings, host: Host): { self: string; keys: Keys; members: Members } {
  const { clients, namespace, lease, scan } = settings
  const { clock, log, timezone } = host
  // Two processes may have been given the same name.
  const self = `${host.instance.replaceAll(/[|\s]/g, '_')}/${randomBytes(3).toString('hex')}`
  const clustered = clients.some((client) => typeof client !== 'string' && client.isCluster)
  const shared = namespace === DEFAULT_NAMESPACE
  const members = new Members({ clock, log, self, lease, scan, timezone, shared, jobs: () => host.jobs() })
  return { self, keys: new Keys(namespace, clustered ? CLUSTER_SHARDS : 1), members }
}

function contextOf(
  settings: Settings,
  host: Host,
  { keys, members, self }: Pick<NodesContext, 'keys' | 'members' | 'self'>,
): Omit<NodesContext, 'onGreet'> {
  const skew = new ClockSkew(host, settings.maxClockSkew)
  return {
    clock: host.clock,
    log: host.log,
    keys,
    members,
    self,
    timeout: settings.timeout,
    alive: aliveFor(settings),
    acks: settings.replicaAcks,
    onOffset: (offset) => skew.set(offset),
    onStep: (node, by) => skew.stepped(node.name, by),
  }
}

/**
 * How long an instance counts as alive after its last sign of life, in ms: it misses no two scans, and if it died, it is out by the
 * time its leases are over.
 */
function aliveFor({ lease, scan }: Settings): number {
  return Math.round(Math.min(3 * scan, Math.max(lease, 1.5 * scan)))
}

function tellFenced(host: Host): (of: { subject: ClaimTarget; fence: number }, by: string) => void {
  return ({ subject, fence }, by) => {
    const { job } = subject
    const tick = nameOf(subject)
    host.log.warn({ job, tick, fence, by }, `${tick} was taken over by ${by}`)
    host.emit('fenced', { job, tick, fence, by })
  }
}
