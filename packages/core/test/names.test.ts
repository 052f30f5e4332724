import { createScheduler, manual } from '@escapement/core'
import { expect, test } from 'vitest'

test.each([
  ['a line break', 'a\nb'],
  ['an escape sequence', 'a\u001b[31m'],
  ['a control character of C1', 'a\u009b31m'],
  ['half of a surrogate pair', 'a\ud800'],
  ['the other half', '\udc00a'],
  ['a mark that turns the direction', 'a\u202eb'],
  ['an isolate', 'a\u2066b'],
  ['a zero-width space', 'a\u200bb'],
  ['a zero-width joiner', 'a\u200db'],
  ['a zero-width non-joiner', 'a\u200cb'],
  ['a word joiner', 'a\u2060b'],
  ['a byte order mark', '\ufeffa'],
  ['a soft hyphen', 'a\u00adb'],
  ['a line separator', 'a\u2028b'],
  ['a tag character', 'a\u{e0041}'],
  ['a Hangul filler', '\u3164'],
  ['a grapheme joiner', 'a\u034fb'],
])('a name with %s is refused, and the message shows it harmlessly', (_, name) => {
  const scheduler = createScheduler()
  const register = () => scheduler.job(name, manual(), () => {})
  expect(register).toThrow(expect.objectContaining({ code: 'ERR_ESCAPEMENT_JOB_NAME' }))
  expect(register).toThrow(/invisible/)
  expect(register).not.toThrow(/[\p{Cc}\p{Cs}\u202e\u2066]/u)
})

test.each(['清理日志', 'reports/daily', 'naïve café', '🙂', 'mutex:foo'])('%s is a name', (name) => {
  expect(createScheduler().job(name, manual(), () => {}).name).toBe(name)
})
