import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Keys } from '../src/keys.ts'
import type { Node } from '../src/nodes/node.ts'
import type { Nodes } from '../src/nodes/nodes.ts'
import { parseOptions, type RedisLockOptions } from '../src/options.ts'
import { openNodes } from './open-nodes.ts'
import { RedisServer } from './redis-server.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const fn of undo.splice(0).reverse()) await fn()
})

const TIMEOUT = 200

async function connected(
  options: Partial<RedisLockOptions> = {},
): Promise<{ server: RedisServer; nodes: Nodes; node: Node }> {
  const server = await RedisServer.start()
  undo.push(() => server.stop())
  const settings = parseOptions({ clients: [server.url], timeout: TIMEOUT, ...options })
  const nodes = await openNodes(settings, new Keys('nodes', 1))
  undo.push(() => nodes.close())
  return { server, nodes, node: nodes.all[0] as Node }
}

test('an answer that came while this process was held up is not late', async () => {
  const { node } = await connected()
  const answer = node.mget(['a'])
  await turn()
  const end = performance.now() + 2 * TIMEOUT
  while (performance.now() < end);
  expect(await answer).toEqual([null])
  expect(node.usable).toBe(true)
})

test('a node that hung is asked again when it has answered what it owed, and who waited goes on', async () => {
  const { server, nodes, node } = await connected()
  server.hang()
  await expect(node.mget(['a'])).rejects.toThrow(`no answer within ${TIMEOUT} ms`)
  expect(nodes.down).toBe(true)
  await nodes.up(50)
  expect(nodes.down).toBe(true)
  server.resume()
  await Promise.all([nodes.up(60_000), nodes.up(60_000)])
  expect(nodes.down).toBe(false)
})

test('how long a young Redis gives no lease is known without asking', async () => {
  const { nodes } = await connected({ lease: '1m', scan: '5s' })
  expect(nodes.hold(0)).toBeGreaterThan(50_000)
  expect(nodes.hold(0)).toBeLessThanOrEqual(60_000)
  const { nodes: unguarded } = await connected({ lease: '1m', scan: '5s', guard: false })
  expect(unguarded.hold(0)).toBe(0)
})

test.each([
  [1, []],
  [2, ['redis-lock: 2 masters survive the loss of 0, as 1 would: give 3 or 5']],
  [3, []],
  [4, ['redis-lock: 4 masters survive the loss of 1, as 3 would: give 3 or 5']],
])('%i masters: an even number is warned of once', async (count, lines) => {
  const servers = await Promise.all(Array.from({ length: count }, () => RedisServer.start()))
  undo.push(() => Promise.all(servers.map((server) => server.stop())))
  const settings = parseOptions({ clients: servers.map(({ url }) => url) })
  const warned: string[] = []
  const warn = (_: object | string, text?: string) => void warned.push(text ?? '')
  const log = { debug() {}, info() {}, warn, error() {} }
  const nodes = await openNodes(settings, new Keys('nodes', 1), { log })
  undo.push(() => nodes.close())
  expect(warned.filter((text) => text.includes('masters survive'))).toEqual(lines)
})
