import { expect, test } from 'vitest'
import { instanceOf, Keys, parseRecord } from '../src/keys.ts'

test.each(['report', 'a:b|c', '{curly}', 'Ünï', 'with space'])(
  'the tick of %j is found again by its member',
  (job) => {
    const keys = new Keys('ns', 16)
    const tick = keys.tick(job, 1_795_000_000_000)
    expect(keys.parse(tick.member)).toEqual(tick)
    const after = keys.follower(job, 1_795_000_000_000)
    expect(keys.parse(after.member)).toEqual(after)
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
