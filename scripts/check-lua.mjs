// Lints the Lua scripts: syntax of Lua 5.1, no name that Redis does not give, no local that is not used, and every key and
// argument in the comment at the top. node scripts/check-lua.mjs
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import luaparse from 'luaparse'

/** What Redis gives to a script, as far as the scripts use it. */
const GIVEN = 'ARGV KEYS cjson ipairs math next pairs redis string table tonumber tostring type unpack'.split(
  ' ',
)

const files = execFileSync('git', ['ls-files', '*.lua'], { encoding: 'utf8' }).split('\n').filter(Boolean)
/** What the scripts of a folder begin with. */
const preludeOf = (file) => join(dirname(file), 'prelude.lua')
const problems = []
for (const file of files) {
  const text = readFileSync(file, 'utf8')
  const prelude = preludeOf(file)
  const whole = file === prelude || !existsSync(prelude) ? text : readFileSync(prelude, 'utf8') + text
  try {
    const { globals } = luaparse.parse(whole, { scope: true, luaVersion: '5.1' })
    for (const { name } of globals) if (!GIVEN.includes(name)) problems.push(`${file}: there is no ${name}`)
    if (file !== prelude) for (const name of unused(text)) problems.push(`${file}: ${name} is not used`)
  } catch (error) {
    problems.push(`${file}: ${error.message} (lines count from the prelude's first)`)
  }
  const top = text.slice(0, text.search(/^[^-\n]/m))
  for (const [given] of text.slice(top.length).matchAll(/\b(?:KEYS|ARGV)\[\d+\]/g))
    if (!top.includes(given)) problems.push(`${file}: the comment at the top does not say what ${given} is`)
}

/** Names of locals that stand in the text only once. */
function unused(text) {
  const counts = new Map()
  const declared = new Set()
  luaparse.parse(text, {
    luaVersion: '5.1',
    onCreateNode: (node) => {
      if (node.type === 'Identifier') counts.set(node.name, (counts.get(node.name) ?? 0) + 1)
      if (node.type === 'LocalStatement') for (const { name } of node.variables) declared.add(name)
      if (node.type === 'FunctionDeclaration' && node.isLocal) declared.add(node.identifier.name)
    },
  })
  return [...declared].filter((name) => name !== '_' && counts.get(name) === 1)
}

for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)
