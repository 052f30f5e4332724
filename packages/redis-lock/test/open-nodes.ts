import { systemClock } from '@escapement/core'
import { expect } from 'vitest'
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

/** Waits for something. */
export async function until(what: string, ready: () => unknown): Promise<void> {
  await expect.poll(async () => Boolean(await ready()), { message: what }).toBe(true)
}
