/** The Lua scripts of redis-lock, as text: a name that does not exist is an error only where its line is reached. */
import { type Chunk, type Identifier, parse } from 'luaparse'
import { expect, test } from 'vitest'
import {
  BEAT,
  CLAIM,
  END,
  LEAVE,
  MUTEX,
  marked,
  PAGE,
  type Script,
  TEND,
} from '../../packages/redis-lock/src/scripts/index.ts'

/** What Redis gives to a script, as far as the scripts use it. */
const GIVEN = ['ARGV', 'KEYS', 'ipairs', 'math', 'redis', 'string', 'tonumber', 'tostring', 'type', 'unpack']

function globals(source: string): string[] {
  const chunk = parse(source, { scope: true, luaVersion: '5.1' }) as Chunk & { globals: Identifier[] }
  return chunk.globals.map(({ name }) => name)
}

const scripts: [string, Script][] = Object.entries({ BEAT, CLAIM, END, LEAVE, PAGE, TEND, ...MUTEX })

test.each([...scripts, ['CLAIM with a mark', marked(CLAIM, 'm1')] as const])(
  '%s uses no name that does not exist',
  (_, { source }) => {
    expect(globals(source).filter((name) => !GIVEN.includes(name))).toEqual([])
  },
)

test('a name that does not exist is found', () => {
  expect(globals('local a = 1 if a > 2 then return nwo end')).toEqual(['nwo'])
})
