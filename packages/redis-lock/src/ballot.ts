import { EscapementError } from '@escapement/core'
import { Batch, groupBy } from './batch.ts'
import type { Keys, Subject } from './keys.ts'
import type { Node } from './node.ts'
import type { Nodes } from './nodes.ts'
import type { Settings } from './options.ts'
import { CLAIM, END } from './scripts/index.ts'

/** What is put to the vote: that `token` may start the tick for the `start`th time. */
export interface Motion {
  readonly subject: Subject
  readonly token: string
  readonly start: number
  /** Also take the job's lease, so that no other run of it starts. */
  readonly leased: boolean
  /** `lost` only marks an abandoned tick. */
  readonly state: 'run' | 'lost'
}

export type Verdict =
  /** `sent`: monotonic and wall time before the first command that may have granted it. */
  | { readonly kind: 'granted'; readonly start: number; readonly fence: number; readonly sent: Sent }
  | { readonly kind: 'taken' | 'busy'; readonly by: string }
  /** The tick is not due, or no lease is given yet, for so many ms. */
  | { readonly kind: 'wait' | 'hold' | 'alive'; readonly ms: number }
  | { readonly kind: 'late' | 'abstain' | 'contended' }
  | { readonly kind: 'down'; readonly error: Error }

export interface Sent {
  readonly monotonic: number
  readonly wall: number
}

type Vote = { kind: Verdict['kind'] | 'ok'; detail: string; fence: number; error?: Error }

interface Pending {
  readonly motion: Motion
  readonly resolve: (verdict: Verdict) => void
}

/** A motion that the majority has reserved: on which nodes, and on how many it is written. */
interface Win extends Pending {
  readonly on: ReadonlySet<number>
  readonly fence: number
  written: number
}

/** Puts motions to the vote: on one Redis in one step, on several in two, where the majority decides. */
export class Ballot {
  readonly #nodes: Nodes
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #sent: () => Sent
  readonly #batch = new Batch<Pending>((pending) => {
    for (const group of groupBy(pending, ({ motion }) => motion.subject.shard)) void this.#hold(group)
  })

  constructor(nodes: Nodes, keys: Keys, settings: Settings, sent: () => Sent) {
    this.#nodes = nodes
    this.#keys = keys
    this.#settings = settings
    this.#sent = sent
  }

  /** Never rejects, and answers within two timeouts. What was not granted has been withdrawn or never counts. */
  vote(motion: Motion): Promise<Verdict> {
    return new Promise((resolve) => this.#batch.add({ motion, resolve }))
  }

  /** Takes back what may have been granted. */
  async withdraw(motions: Motion[], nodes: readonly Node[] = this.#nodes.all): Promise<void> {
    for (const group of groupBy(motions, ({ subject }) => subject.shard)) {
      const { shard } = (group[0] as Motion).subject
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
    const motions = pending.map(({ motion }) => motion)
    const votes = node ? await this.#ask(node, 'claim', motions, []) : motions.map(() => CLOSED)
    for (const [i, { resolve }] of pending.entries()) resolve(verdict(votes[i] as Vote, sent))
  }

  /** Several: reserve on all, and when all have answered, write what the majority has reserved. */
  async #agree(pending: Pending[]): Promise<void> {
    const nodes = this.#nodes.all
    const { quorum } = this.#nodes
    const motions = pending.map(({ motion }) => motion)
    const ballots = await Promise.all(nodes.map((node) => this.#ask(node, 'prepare', motions, [])))
    const won: Win[] = []
    const lost: Motion[] = []
    for (const [i, { motion, resolve }] of pending.entries()) {
      const votes = ballots.map((ballot) => ballot[i] as Vote)
      const on = new Set(votes.flatMap(({ kind }, n) => (kind === 'ok' ? [n] : [])))
      const fence = Math.max(...votes.map((vote) => vote.fence))
      if (on.size >= quorum) won.push({ motion, resolve, on, fence, written: 0 })
      else {
        lost.push(motion)
        resolve(judge(votes, quorum))
      }
    }
    // A node that did not answer may have heard us all the same.
    if (lost.length > 0) void this.withdraw(lost)
    if (won.length > 0) await this.#commit(won)
  }

  /** Resolves each win as soon as the majority has written it. */
  async #commit(won: Win[]): Promise<void> {
    const { quorum, all } = this.#nodes
    const sent = this.#sent()
    const commits = all.map(async (node, n) => {
      const mine = won.filter(({ on }) => on.has(n))
      if (mine.length === 0) return
      const motions = mine.map(({ motion }) => motion)
      const fences = mine.map(({ fence }) => fence)
      const votes = await this.#ask(node, 'commit', motions, fences)
      for (const [m, win] of mine.entries()) {
        if ((votes[m] as Vote).kind !== 'ok' || ++win.written !== quorum) continue
        win.resolve({ kind: 'granted', start: win.motion.start, fence: win.fence, sent })
      }
    })
    await Promise.all(commits)
    const failed = won.filter(({ written }) => written < quorum)
    if (failed.length === 0) return
    void this.withdraw(failed.map(({ motion }) => motion))
    for (const { resolve } of failed) resolve({ kind: 'contended' })
  }

  async #ask(node: Node, mode: string, motions: Motion[], fences: number[]): Promise<Vote[]> {
    const { guard, lease, retention, early, maxLate, timeout, replicaAcks } = this.#settings
    const { shard } = (motions[0] as Motion).subject
    const keys = [this.#keys.born(shard), this.#keys.open(shard)]
    const check = node.client.isCluster ? 1 : 0
    const args = [mode, guard ? 1 : 0, check, lease, retention, early, maxLate, 2 * timeout]
    for (const [i, { subject, token, start, leased, state }] of motions.entries()) {
      const { job, key, at, member } = subject
      keys.push(key, this.#keys.job(job))
      if (mode !== 'claim') keys.push(this.#keys.prepared(job))
      args.push(at ?? '', token, start, fences[i] ?? '', leased ? 1 : 0, state, member)
    }
    try {
      if (!this.#nodes.trusts(node) && node.usable)
        throw new Error(`the clock of Redis ${node.name} is wrong`)
      const reply = await node.ask(CLAIM, keys, args, mode === 'prepare' ? 0 : replicaAcks)
      return motions.map((_, i) => parse(String(reply[i + 1])))
    } catch (error) {
      return motions.map(() => ({ kind: 'down', detail: '', fence: 0, error: error as Error }))
    }
  }
}

/** The lock was stopped meanwhile. */
const CLOSED: Vote = {
  kind: 'down',
  detail: '',
  fence: 0,
  error: new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', 'the lock was stopped'),
}

function parse(text: string): Vote {
  const [kind, detail = '', fence] = text.split('|') as [Vote['kind'], string?, string?]
  return { kind, detail, fence: Number(fence ?? 0) }
}

function verdict(vote: Vote, sent: Sent): Verdict {
  const { kind, detail, fence, error } = vote
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
    case 'down':
      return { kind, error: error as Error }
    default:
      return { kind: kind as 'late' | 'abstain' | 'contended' }
  }
}

/** What it means that the majority was not reached. One who has seen the tick taken is right. */
function judge(votes: Vote[], quorum: number): Verdict {
  const sent = { monotonic: 0, wall: 0 }
  const taken = votes.find(({ kind }) => kind === 'taken')
  if (taken) return verdict(taken, sent)
  // So many of one kind that the others could not win.
  for (const kind of ['down', 'busy', 'alive', 'late', 'wait', 'hold', 'abstain'] as const) {
    const same = votes.filter((vote) => vote.kind === kind)
    if (same.length > votes.length - quorum) {
      const longest = same.reduce((a, b) => (Number(b.detail) > Number(a.detail) ? b : a))
      return verdict(longest, sent)
    }
  }
  return { kind: 'contended' }
}
