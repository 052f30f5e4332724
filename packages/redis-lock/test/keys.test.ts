import { expect, test } from 'vitest'
import { instanceOf, Keys, nameOf, parseRecord } from '../src/keys.ts'

test.each(['report', 'a:b|c', '{curly}', 'Ünï', 'with space'])(
  'the tick of %j is found again by its member',
  (job) => {
    const keys = new Keys('ns', 16)
    const tick = keys.tick(job, 1_795_000_000_000)
    expect(keys.parse(tick.member)).toEqual(tick)
    const after = keys.follower(job, 1_795_000_000_000)
    expect(keys.parse(after.member)).toEqual(after)
    for (const fold of [1, 2]) {
      const again = [keys.tick(job, 1_795_000_000_000, fold), keys.follower(job, 1_795_000_000_000, fold)]
      for (const one of again) expect(keys.parse(one.member)).toEqual(one)
      expect(again.map(nameOf)).toEqual(Array(2).fill(`${job}@2026-11-18T11:06:40.000Z~${fold + 1}`))
      expect(again[0]?.key).not.toBe(tick.key)
    }
    const asked = keys.requested(job, 'run-1')
    expect(keys.parse(asked.member)).toEqual(asked)
  },
)

test('all keys of a job share a hash tag, and are different', () => {
  const keys = new Keys('ns', 16)
  const { key, shard } = keys.tick('report', 5)
  const all = [key, keys.job('report'), keys.prepared('report'), keys.open(shard), keys.born(shard)]
  expect(new Set(all.map((name) => /^\{[^}]*\}/.exec(name)?.[0]))).toEqual(new Set([`{ns:${shard}}`]))
  expect(new Set(all).size).toBe(all.length)
})

test('members that are not ours are left alone', () => {
  expect(new Keys('ns', 1).parse('something else')).toBeUndefined()
})

test('a record is read', () => {
  expect(parseRecord('2|web/1.a|17|run')).toEqual({ start: 2, token: 'web/1.a', fence: 17, state: 'run' })
  expect(parseRecord(null)).toBeUndefined()
})

test('a token names its instance', () => {
  expect(instanceOf('web-1:4711:k3xq9a/4f2a00.1c')).toBe('web-1:4711:k3xq9a')
})

const NAMES = [
  ...[
    'foo',
    'foo:job',
    'foo:prepared',
    'foo:t:5',
    'mutex',
    'mutex:foo',
    'mutex:foo:t:5',
    '=mutex:foo',
    '=',
    '==foo',
  ],
  ...[
    'open',
    'born',
    'instances',
    'job',
    't:5',
    'm:5',
    'prepared',
    'roster',
    '{foo}',
    '}{',
    '{',
    '}',
    'utf16:66',
  ],
  ...['a\nb', 'a\u0000b', 'a\u001bb', ' ', '🚀', '🚀:job', 'x'.repeat(200), '🚀'.repeat(100)],
]

test.each([1, 16])(
  'each job, tick, run and mutex has a key of its own, in its shard: %d shards',
  (shards) => {
    const keys = new Keys('ns', shards)
    const all = NAMES.flatMap((name) => [
      keys.job(name),
      keys.prepared(name),
      keys.tick(name, 5).key,
      keys.tick(name, 55).key,
      keys.requested(name, '0198c7a0-0000-7000-8000-000000000005').key,
      keys.mutex(name),
    ])
    const common = Array.from({ length: shards }, (_, shard) => [
      keys.born(shard),
      keys.open(shard),
      keys.instances(shard),
    ]).flat()
    common.push(...keys.member('web-1:4711:k3xq9a/4f2a00'))
    const mutexes = ['\ud800', '\ud801', 'a\udc00', 'a\udc00b', '\ufffd'].map((name) => keys.mutex(name))
    const sent = [...all, ...common, ...mutexes].map((key) => Buffer.from(key).toString('hex'))
    expect(new Set(sent).size).toBe(sent.length)
    for (const name of NAMES) {
      const tag = `{ns:${keys.shard(name)}}`
      for (const key of [keys.job(name), keys.tick(name, 5).key, keys.mutex(name)]) {
        expect(/\{(.+?)\}/s.exec(key)?.[0]).toBe(tag)
        expect(keys.shardOf(key)).toBe(keys.shard(name))
      }
    }
  },
)

test('a mutex leads to no job, and names of jobs are kept as they were', () => {
  const keys = new Keys('ns', 1)
  expect(keys.mutex('foo:job')).not.toBe(keys.job('mutex:foo'))
  expect(keys.job('a:b')).toBe('{ns:0}:a:b:job')
  expect(keys.mutex('a:b')).toBe('{ns:0}:mutex:a:b')
})
