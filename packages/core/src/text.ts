/** Text from outside, made fit to be logged, stored and sent. */

/** Control characters, bidirectional marks, line separators, and halves of surrogate pairs. */
const HARMFUL =
  /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu
/** Most text: looking for it costs a tenth of the pattern above. */
const PLAIN = /^[ -~]*$/
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Text in which nothing can break a line, move a cursor or hide: each such character becomes its escape, `\n`
 * or `\u202e`. The result stays the same when it is passed again.
 *
 * @param options `lines: true` keeps line feeds and tabs, as a stack needs.
 */
export function printable(text: string, options: { lines?: boolean } = {}): string {
  if (PLAIN.test(text)) return text
  return text.replace(HARMFUL, (character) => {
    if (options.lines && (character === '\n' || character === '\t')) return character
    return NAMED[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** At most `max` characters, with a note of how many were left out. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text
  // Never half of a surrogate pair.
  const end = /[\ud800-\udbff]/.test(text.charAt(max - 1)) ? max - 1 : max
  return `${text.slice(0, end)}… (${text.length - end} more characters)`
}

/** A port and a path behind the host are no password: `http://localhost:3000/@me`. */
const USER_INFO =
  /\b([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/?#'"<>:]{0,500}):(?!\d{1,5}[/?#])([^\s'"<>]{1,500})@/gi
const PARAMETER =
  /([?&;](?:[\w.-]{0,40}(?:password|passwd|secret|token|signature|api_?key|access_?key)|auth|key|pass|pwd|sig|sign)=)[^\s&#'"<>]+/gi

/** Text without the passwords and tokens of its URLs. */
export function redact(text: string): string {
  // Most text has no URL: looking for one costs less than the patterns.
  const shown = text.includes('://') ? text.replace(USER_INFO, '$1$2:***@') : text
  return shown.includes('=') ? shown.replace(PARAMETER, '$1***') : shown
}
