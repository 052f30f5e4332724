import { EscapementError } from '@escapement/core'
import { Batch, groupBy } from '../batch.ts'
import type { ClaimTarget, Keys } from '../keys.ts'
import type { Sent } from '../lease/lease.ts'
import type { Node } from '../nodes/node.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { Settings } from '../options.ts'
import { CLAIM, END } from '../scripts/index.ts'

/** A request that `token` may start the tick for the `start`th time. */
export interface ClaimRequest {
  readonly subject: ClaimTarget
  readonly token: string
  readonly start: number
  /** Also take the job's lease, so that no other run of it starts. */
  readonly leased: boolean
  /** `lost` only marks an abandoned tick. */
  readonly state: 'run' | 'lost'
  /** Also if Redis may have forgotten how the run went on. */
  readonly accepted?: boolean
}

export type ClaimResult =
  /** `sent`: monotonic and wall time before the first command that may have granted it. */
  | { readonly kind: 'granted'; readonly start: number; readonly fence: number; readonly sent: Sent }
  | { readonly kind: 'taken' | 'busy'; readonly by: string }
  /** The tick is not due, or no lease is given yet, for this number of ms. */
  | { readonly kind: 'wait' | 'hold' | 'alive'; readonly ms: number }
  | { readonly kind: 'late' | 'abstain' | 'contended' }
  /** Redis may have forgotten how the run went on. `births`: how often it can have been started again since. */
  | { readonly kind: 'unknown'; readonly births: number }
  /** `asked`: a command was sent, so it may have been granted all the same. */
  | { readonly kind: 'down'; readonly error: Error; readonly asked: boolean }

type NodeReply = {
  kind: ClaimResult['kind'] | 'ok'
  detail: string
  fence: number
  error?: Error
  asked?: boolean
}

interface Pending {
  readonly request: ClaimRequest
  readonly resolve: (result: ClaimResult) => void
}

/** A request on its way to a majority. */
interface PendingClaim extends Pending {
  readonly replies: NodeReply[]
  /** The nodes that have reserved it. */
  readonly on: Node[]
  fence: number
  /** Before the first command that writes it: when the majority had reserved it. */
  sent: Sent | undefined
  written: number
}

/** Decides requests: on one Redis in one step, on several in two, where the majority decides. */
export class QuorumClaims {
  /** How long a decision has taken lately, in ms: this machine's load, the network's, and Redis's. */
  latency = 0
  readonly #nodes: Nodes
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #sent: () => Sent
  readonly #batch = new Batch<Pending>((pending) => {
    for (const group of groupBy(pending, ({ request }) => request.subject.shard)) {
      this.#hold(group).catch((error: Error) => {
        for (const { resolve } of group) resolve({ kind: 'down', error, asked: true })
      })
    }
  })

  constructor(nodes: Nodes, keys: Keys, settings: Settings, sent: () => Sent) {
    this.#nodes = nodes
    this.#keys = keys
    this.#settings = settings
    this.#sent = sent
  }

  /** Never rejects, and answers within two timeouts. What was not granted has been withdrawn or never counts. */
  decide(request: ClaimRequest): Promise<ClaimResult> {
    const { subject, start, leased, state } = request
    const ms = leased && start === 1 && state === 'run' ? this.#nodes.hold(subject.shard) : 0
    if (ms > 0) return Promise.resolve({ kind: 'hold', ms })
    return new Promise((resolve) => this.#batch.add({ request, resolve }))
  }

  /** Takes back what may have been granted. */
  async withdraw(requests: ClaimRequest[], nodes: readonly Node[] = this.#nodes.all): Promise<void> {
    for (const group of groupBy(requests, ({ subject }) => subject.shard)) {
      const { shard } = (group[0] as ClaimRequest).subject
      const keys = [this.#keys.open(shard)]
      const args: (string | number)[] = [this.#settings.retention, 3]
      for (const { subject, token, start } of group) {
        keys.push(subject.key, this.#keys.job(subject.job), this.#keys.prepared(subject.job))
        args.push('undo', token, start, 0, subject.member, 0)
      }
      await Promise.allSettled(nodes.map((node) => node.tell(END, keys, args)))
    }
  }

  async #hold(pending: Pending[]): Promise<void> {
    const [node, another] = this.#nodes.all
    if (another) return this.#agree(pending)
    const sent = this.#sent()
    const requests = pending.map(({ request }) => request)
    const replies = node ? await this.#ask(node, 'claim', requests, []) : requests.map(() => CLOSED)
    for (const [i, { resolve }] of pending.entries()) resolve(resultOf(replies[i] as NodeReply, sent))
  }

  /** Several: reserve on all, and write what the majority has reserved. Only a winner is answered before all nodes have replied. */
  async #agree(pending: Pending[]): Promise<void> {
    const { all, quorum } = this.#nodes
    const requests = pending.map(({ request }) => request)
    const pendingClaims = pending.map(
      (item): PendingClaim => ({ ...item, replies: [], on: [], fence: 0, sent: undefined, written: 0 }),
    )
    const rounds = all.map(async (node) => {
      const replies = await this.#ask(node, 'prepare', requests, [])
      const commits = new Map<Node, PendingClaim[]>()
      for (const [i, pendingClaim] of pendingClaims.entries()) {
        const reply = replies[i] as NodeReply
        pendingClaim.replies.push(reply)
        if (reply.kind !== 'ok') continue
        pendingClaim.on.push(node)
        if (!pendingClaim.sent) pendingClaim.fence = Math.max(pendingClaim.fence, reply.fence)
        if (pendingClaim.on.length < quorum) continue
        // The majority has reserved it: written on all of them, and later on each that joins.
        for (const on of pendingClaim.sent ? [node] : pendingClaim.on)
          commits.set(on, [...(commits.get(on) ?? []), pendingClaim])
        pendingClaim.sent ??= this.#sent()
      }
      await Promise.all([...commits].map(([on, won]) => this.#commit(on, won)))
    })
    await Promise.all(rounds)
    const lost = pendingClaims.filter(({ written }) => written < quorum)
    // A node that did not answer may have heard us all the same.
    if (lost.length > 0) void this.withdraw(lost.map(({ request }) => request))
    for (const { resolve, sent, replies } of lost)
      resolve(sent ? { kind: 'contended' } : judge(replies, quorum))
  }

  async #commit(node: Node, won: PendingClaim[]): Promise<void> {
    const requests = won.map(({ request }) => request)
    const fences = won.map(({ fence }) => fence)
    const replies = await this.#ask(node, 'commit', requests, fences)
    for (const [i, pendingClaim] of won.entries()) {
      if ((replies[i] as NodeReply).kind !== 'ok' || ++pendingClaim.written !== this.#nodes.quorum) continue
      const { request, fence, sent } = pendingClaim
      pendingClaim.resolve({ kind: 'granted', start: request.start, fence, sent: sent as Sent })
    }
  }

  async #ask(node: Node, mode: string, requests: ClaimRequest[], fences: number[]): Promise<NodeReply[]> {
    const { guard, lease, retention, early, maxLate, timeout, replicaAcks } = this.#settings
    const { shard } = (requests[0] as ClaimRequest).subject
    const keys = [this.#keys.born(shard), this.#keys.open(shard)]
    // Ticks are judged by the time of the fleet, also where that of Redis was set.
    const ahead = node.ahead(shard)
    const args = [
      mode,
      guard ? this.#nodes.longest : 0,
      lease,
      retention,
      early + ahead,
      maxLate - ahead,
      2 * timeout,
    ]
    for (const [i, { subject, token, start, leased, state, accepted }] of requests.entries()) {
      const { job, key, at, member } = subject
      keys.push(key, this.#keys.job(job))
      if (mode !== 'claim') keys.push(this.#keys.prepared(job))
      args.push(at ?? '', token, start, fences[i] ?? '', leased ? 1 : 0, state, member, accepted ? 1 : 0)
    }
    const asked = this.#nodes.trusts(node, shard)
    const sent = performance.now()
    try {
      if (!asked && node.answers(shard)) throw new Error(this.#nodes.distrust(node))
      const reply = await node.ask(CLAIM, keys, args, mode === 'prepare' ? 0 : replicaAcks)
      return requests.map((_, i) => parse(String(reply[i + 1])))
    } catch (error) {
      return requests.map(() => ({ kind: 'down', detail: '', fence: 0, error: error as Error, asked }))
    } finally {
      if (asked) this.latency += (performance.now() - sent - this.latency) / 8
    }
  }
}

/** The lock was stopped meanwhile. */
const CLOSED: NodeReply = {
  kind: 'down',
  detail: '',
  fence: 0,
  error: new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', 'the lock was stopped'),
}

function parse(text: string): NodeReply {
  const [kind, detail = '', fence] = text.split('|') as [NodeReply['kind'], string?, string?]
  return { kind, detail, fence: Number(fence ?? 0) }
}

function resultOf(reply: NodeReply, sent: Sent): ClaimResult {
  const { kind, detail, fence, error } = reply
  switch (kind) {
    case 'ok':
      return { kind: 'granted', start: Number(detail), fence, sent }
    case 'taken':
    case 'busy':
      return { kind, by: detail }
    case 'wait':
    case 'hold':
    case 'alive':
      return { kind, ms: Number(detail) }
    case 'unknown':
      return { kind, births: Number(detail) }
    case 'down':
      return { kind, error: error as Error, asked: reply.asked === true }
    default:
      return { kind: kind as 'late' | 'abstain' | 'contended' }
  }
}

/** What it means that the majority was not reached. A node that has seen the tick taken is right. */
function judge(replies: NodeReply[], quorum: number): ClaimResult {
  const sent = { monotonic: 0, wall: 0 }
  const taken = replies.find(({ kind }) => kind === 'taken')
  if (taken) return resultOf(taken, sent)
  // The other votes could not win against this number of one kind.
  for (const kind of ['down', 'busy', 'alive', 'unknown', 'late', 'wait', 'hold', 'abstain'] as const) {
    const same = replies.filter((reply) => reply.kind === kind)
    if (same.length > replies.length - quorum) {
      const longest = same.reduce((a, b) => (Number(b.detail) > Number(a.detail) ? b : a))
      return resultOf(
        { ...longest, asked: replies.some((reply) => reply.kind !== 'down' || reply.asked) },
        sent,
      )
    }
  }
  return { kind: 'contended' }
}
