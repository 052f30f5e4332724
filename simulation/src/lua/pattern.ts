/** Lua's patterns as regular expressions (Lua 5.1 manual, 5.4.1). Of what Redis scripts use; the rest is refused. */

const CLASSES: Readonly<Record<string, string>> = {
  a: 'A-Za-z',
  d: '0-9',
  l: 'a-z',
  s: '\\s',
  u: 'A-Z',
  w: 'A-Za-z0-9',
  x: 'A-Fa-f0-9',
}
const cache = new Map<string, RegExp>()

/** The regular expression of a Lua pattern. */
export function toRegExp(pattern: string): RegExp {
  let found = cache.get(pattern)
  if (!found) {
    found = new RegExp(translate(pattern), 's')
    cache.set(pattern, found)
  }
  return found
}

function translate(pattern: string): string {
  let out = ''
  let inSet = false
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] as string
    if (c === '%') {
      const of = pattern[++i] as string
      const known = CLASSES[of]
      if (known) out += inSet ? known : `[${known}]`
      else if (/[A-Za-z0-9]/.test(of))
        throw new Error(`the pattern ${pattern} uses %${of}, which is not simulated`)
      else out += `\\${of}`
    } else if (inSet) {
      if (c === ']') inSet = false
      out += c === '\\' ? '\\\\' : c
    } else if (c === '[') {
      inSet = true
      out += c
    } else if (c === '-') out += '*?'
    else if (/[|{}\\/]/.test(c)) out += `\\${c}`
    else out += c
  }
  return out
}
