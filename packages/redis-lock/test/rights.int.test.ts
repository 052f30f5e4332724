import { readFileSync } from 'node:fs'
import { createScheduler, type Run } from '@escapement/core'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { redisLock } from '../src/index.ts'
import { until } from './open-nodes.ts'
import { RedisServer } from './redis-server.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const fn of undo.splice(0).reverse()) await fn()
})

/** The rule that the README gives, and that must be enough. */
const [, RULE = ''] =
  /^ACL SETUSER escapement (.*)$/m.exec(
    readFileSync(new URL('../README.md', import.meta.url), 'utf8').replaceAll(/ \\\n */g, ' '),
  ) ?? []

test.each([
  ['as the README gives it', RULE, 0],
  ['without INFO', RULE.replace(' +info', ''), 0],
  ['with replicas that are waited for', RULE, 1],
])('the rights %s are enough', async (_, rule, replicaAcks) => {
  const server = await RedisServer.start()
  undo.push(() => server.stop())
  const admin = new Redis(server.port)
  undo.push(() => admin.disconnect())
  if (replicaAcks > 0) {
    const replica = await RedisServer.start(['--replicaof', '127.0.0.1', String(server.port)])
    undo.push(() => replica.stop())
    await until('it has a replica', async () =>
      String(await admin.info('replication')).includes('state=online'),
    )
  }
  await admin.call('ACL', 'SETUSER', 'escapement', ...rule.replace('<password>', 'secret').split(' '))
  await admin.acl('LOG', 'RESET')
  const lines: string[] = []
  const write = (_: object, message: string) => void lines.push(message)
  const logger = { debug() {}, info() {}, warn: write, error: write }
  const make = () => {
    const options = { lease: 1000, scan: 200, onAbandoned: 'rerun', replicaAcks } as const
    const clients = [`redis://escapement:secret@127.0.0.1:${server.port}`]
    const one = createScheduler({ logger, plugins: [redisLock({ clients, ...options })] })
    undo.push(() => one.stop({ grace: 0 }))
    return one
  }
  const [one, two] = [make(), make()]
  const runs: Run[] = []
  for (const each of [one, two]) {
    each.job('a', '* * * * * *', (run: Run) => void runs.push(run))
    // Longer than the lease: it is renewed.
    each.job('long', '* * * * * *', () => new Promise((resolve) => setTimeout(resolve, 1200)))
    await each.start()
  }
  await until('some runs', () => runs.length > 3)
  expect(new Set(runs.map(({ key }) => key)).size).toBe(runs.length)
  expect(await two.exclusive('mine', () => 'in')).toBe('in')
  await one.stop()
  const before = runs.length
  await until('the other one goes on', () => runs.length > before + 1)
  await two.stop()
  const refused = (await admin.call('ACL', 'LOG')) as unknown[]
  // ioredis names itself.
  const allowed = ['client|setinfo', ...(rule.includes('+info') ? [] : ['info'])]
  const objects = refused.map((entry) => {
    const fields = Array.isArray(entry) ? entry : Object.entries(entry as object).flat()
    return String(fields[fields.indexOf('object') + 1])
  })
  expect(objects.filter((object) => !allowed.includes(object))).toEqual([])
  expect(lines.filter((line) => /cannot be used|lacks/.test(line))).toEqual([])
})
