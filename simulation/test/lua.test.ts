/** The compiler beside a Lua machine: small programs, and Redis's own examples of what scripts do. */
import fengari from 'fengari'
import { describe, expect, test } from 'vitest'
import { compile } from '../src/lua/compile.ts'
import { Table } from '../src/lua/library.ts'

const { lua, lauxlib, lualib, to_luastring, to_jsstring } = fengari

/** What the program returns, as text, by a Lua machine. */
function reference(source: string, argv: string[]): string {
  const L = lauxlib.luaL_newstate()
  lualib.luaL_openlibs(L)
  const given = `local ARGV = { ${argv.map((text) => JSON.stringify(text)).join(', ')} }\nlocal unpack = table.unpack\n`
  const program = `${given}local function program()\n${source}\nend\n${SHOW}\nreturn show(program())`
  if (lauxlib.luaL_dostring(L, to_luastring(program))) return 'error'
  return to_jsstring(lua.lua_tostring(L, -1))
}

const SHOW = `function show(value)
  if type(value) ~= 'table' then return type(value) == 'number' and string.format('%.0f', value) or tostring(value) end
  local parts = {}
  for i, item in ipairs(value) do parts[i] = show(item) end
  return '{' .. table.concat(parts, ',') .. '}'
end`

function compiled(source: string, argv: string[]): string {
  const show = (value: unknown): string => {
    const one = Array.isArray(value) ? value[0] : value
    if (one instanceof Table) return `{${one.list.map(show).join(',')}}`
    return one === undefined ? 'nil' : typeof one === 'number' ? one.toFixed(0) : String(one)
  }
  try {
    return show(compile(source)(new Table(), new Table(argv), (() => false) as never))
  } catch {
    return 'error'
  }
}

const programs: [string, string, string[]?][] = [
  ['arithmetic', 'return { 7 + 2, 7 - 2, 7 * 2, 8 / 2, -3, 2 + 3 * 4 }'],
  ['text that is a number', 'return ARGV[1] - 1', ['12']],
  ['text that is none', 'return ARGV[1] - 1', ['x']],
  ['numbers and texts are not compared', 'return 1 < ARGV[1]', ['2']],
  ['and, or, not', "return { 1 and 2, nil or 3, false or 'x', not nil, not 0, (1 == 2) and 1 or 5 }"],
  ['nil is not false', 'local a = nil; if a == false then return 1 end; return 2'],
  [
    'zero and the empty text are true',
    "local n = 0; if 0 then n = n + 1 end; if '' then n = n + 1 end; return n",
  ],
  [
    'several values',
    'local function f() return 1, 2, 3 end; local a, b = f(); local c = f(); return { a, b, c, f() }',
  ],
  ['several values in the middle', 'local function f() return 1, 2 end; return { f(), f() }'],
  ['swap', "local a, b = 'x', 'y'; a, b = b, a; return a .. b"],
  ['shadowing', 'local x = 1; local x = x + 1; do local x = 9 end; return x'],
  [
    'the same name twice',
    "local _, a = string.match('k|v', '^(%a)|(%a)$'); local _, b = string.match('m|n', '^(%a)|(%a)$'); return a .. b",
  ],
  [
    'numeric loops',
    'local s = 0; for i = 1, 10, 3 do s = s + i end; for i = 3, 1, -1 do s = s * i end; return s',
  ],
  ['a loop over an empty range', 'local s = 7; for i = 2, 1 do s = 0 end; return s'],
  ['ipairs ends at nil', 'local s = 0; for i, v in ipairs({ 1, 2, nil, 4 }) do s = s + v end; return s'],
  ['while and break', 'local i = 0; while true do i = i + 1; if i > 4 then break end end; return i'],
  [
    'else if',
    "local x = tonumber(ARGV[1]); if x < 1 then return 'a' elseif x < 5 then return 'b' else return 'c' end",
    ['3'],
  ],
  ['closures see later values', 'local n = 1; local function f() return n end; n = 2; return f()'],
  ['recursion', 'local function f(n) if n <= 1 then return 1 end return n * f(n - 1) end; return f(10)'],
  ['tables', "local t = { 1, 2, x = 'y' }; t[3] = 3; t.z = 'w'; t['q'] = 4; return #t .. t.x .. t.z .. t.q"],
  ['growing a table', 'local t = {}; for i = 1, 5 do t[#t + 1] = i * i end; return t'],
  ['unpack from', 'local t = { 1, 2, 3, 4 }; return { unpack(t, 2) }'],
  ['match with captures', "return { string.match('3|abc|17|run', '^(%d+)|([^|]*)|(%d+)|(%a+)$') }"],
  ['match without', "return string.match('run_id:abc12', 'run_id:(%w+)')"],
  ['no match', "return string.match('x', '^%d+$')"],
  ['magic characters', "return string.match('a.b-c', '^(a%.b)%-(c)$')"],
  ['format', "return string.format('%.0f', 1795219200123 * 1000 + 456)"],
  ['digits of large numbers', 'return string.format("%.0f", tonumber(ARGV[1]) + 1)', ['1795219200123456']],
  ['floor, min, max', 'return { math.floor(7.9), math.floor(-1.5), math.min(3, 1, 2), math.max(3, 1, 2) }'],
  ['tonumber', "return { tonumber('12'), tonumber('1e3'), tostring(tonumber('x')), tostring(tonumber('')) }"],
  ['an index into nil', 'local t; return t[1]'],
  ['a call of nil', 'local f; return f()'],
]

describe('compiled Lua does what a Lua machine does', () => {
  test.each(programs)('%s', (_, source, argv = []) => {
    expect(compiled(source, argv)).toBe(reference(source, argv))
  })
})

test('what is not simulated is refused when it is compiled', () => {
  for (const source of ['goto x', 'return os.time()', 'x = 1', "return require('x')", 'return 2 ^ 3']) {
    expect(() => compile(source)).toThrow()
  }
})

test('numbers become text as in Lua 5.1', () => {
  expect(compiled("return '' .. 5", [])).toBe('5')
  expect(compiled("return '' .. 1795219200123", [])).toBe('1795219200123')
  expect(compiled("return '' .. 1795219200123456", [])).toBe('1.7952192001235e+15')
  expect(compiled("return '' .. 0.1", [])).toBe('0.1')
})
