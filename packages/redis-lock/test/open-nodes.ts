import { systemClock } from '@escapement/core'
import type { Keys } from '../src/keys.ts'
import { Nodes, type NodesContext } from '../src/nodes/nodes.ts'
import type { Settings } from '../src/options.ts'

/** The nodes of a lock by themselves, connected. */
export async function openNodes(
  settings: Settings,
  keys: Keys,
  more: Partial<NodesContext> = {},
): Promise<Nodes> {
  const nodes = new Nodes(settings, {
    clock: systemClock,
    keys,
    members: { told: { head: '', jobs: '' }, others: [], digest: () => '', longest: settings.lease },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    self: () => '',
    timeout: settings.timeout,
    alive: 5000,
    acks: 0,
    onGreet() {},
    onStep() {},
    onOffset() {},
    ...more,
  })
  await nodes.open()
  return nodes
}

/** Waits for something, at most 20 s. */
export async function until(what: string, ready: () => unknown): Promise<void> {
  const end = performance.now() + 20_000
  while (!(await ready())) {
    if (performance.now() > end) throw new Error(`after 20 s still not so: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
