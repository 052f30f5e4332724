import type { CompletionWriter } from '../end/completion-writer.ts'
import { instanceOf, type Keys } from '../keys.ts'
import type { Members } from '../members/members.ts'
import type { RendezvousRank } from '../members/rendezvous-rank.ts'
import type { Node } from '../nodes/node.ts'
import type { RunObserver } from '../nodes/run-observer.ts'
import type { Greeting } from '../scripts/index.ts'
import type { Recover } from './recover.ts'
import type { Screen } from './screen.ts'

export interface GreetingsParts {
  readonly keys: Keys
  readonly members: Members
  readonly ranks: RendezvousRank
  readonly ends: CompletionWriter
  readonly observer: RunObserver
  readonly recover: Recover
  readonly screen: Screen
  /** False: the lock is asked, but the scheduler is not started. */
  readonly started: () => boolean
}

/** What an instance does with what a Redis says at a scan. */
export class Greetings {
  readonly #parts: GreetingsParts

  constructor(parts: GreetingsParts) {
    this.#parts = parts
  }

  hear(node: Node, shard: number, greeting: Greeting): void {
    const { members, ranks, ends, observer, keys, recover, screen } = this.#parts
    if (shard === 0) ranks.instances = greeting.instances
    if (!this.#parts.started()) return
    if (shard === 0 && members.learn(greeting)) ranks.renew()
    ends.hurry()
    ends.greeted(node.name, shard, greeting.born)
    const lost = observer.look(node, shard, greeting)
    const cases = [...lost].flatMap(([member, by]) => {
      const subject = keys.parse(member)
      return subject ? [{ subject, witnessed: true, by: by && instanceOf(by) }] : []
    })
    void recover.take(cases)
    screen.look(node, shard, greeting)
  }
}
