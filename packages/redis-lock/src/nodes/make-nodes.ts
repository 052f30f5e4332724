import type { Logger } from '@escapement/core'
import { connect, unsafeOptions } from '../connection/client.ts'
import { redacted } from '../connection/url.ts'
import type { Settings } from '../options.ts'
import { Node, type NodeContext } from './node.ts'

/** The nodes of all clients, not opened yet. Rejects only when ioredis is missing. */
export function makeNodes({ clients, timeout }: Settings, context: NodeContext): Promise<Node[]> {
  const nodes = clients.map(async (given, i) => {
    if (typeof given === 'string')
      return new Node({ client: await connect(given, timeout), name: redacted(given), url: given }, context)
    const unsafe = unsafeOptions(given)
    if (unsafe.length > 0) {
      const message = `redis-lock: client ${i + 1} has options that make claims slow to fail: ${unsafe.join(', ')}`
      context.log.warn({ client: i + 1, options: unsafe }, message)
    }
    return new Node({ client: given, name: nameOf(given.options, i), url: undefined }, context)
  })
  return Promise.all(nodes)
}

function nameOf(options: object | undefined, i: number): string {
  const { host, port, path } = (options ?? {}) as { host?: string; port?: number; path?: string }
  return path ?? (host ? `${host}:${port ?? 6379}` : `client ${i + 1}`)
}

/** An even number of masters survives no more than one less would. */
export function warnOfEven(masters: number, quorum: number, log: Logger): void {
  if (masters % 2 === 1) return
  const message = `redis-lock: ${masters} masters survive the loss of ${masters - quorum}, as ${masters - 1} would: give 3 or 5`
  log.warn({ masters }, message)
}
