import { systemClock } from '@escapement/core'
import type { Keys } from '../src/keys.ts'
import { Nodes } from '../src/nodes.ts'
import type { Settings } from '../src/options.ts'

/** The nodes of a lock by themselves, connected. */
export async function openNodes(settings: Settings, keys: Keys): Promise<Nodes> {
  const nodes = new Nodes(settings, {
    clock: systemClock,
    keys,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    self: () => '',
    timeout: settings.timeout,
    alive: 5000,
    acks: 0,
    onGreet() {},
    onStep() {},
    onOffset() {},
  })
  await nodes.open()
  return nodes
}
