import { cron } from '@escapement/core'
import { expect, describe as group, it } from 'vitest'
import { describe } from '../src/index.ts'
import { readBack } from './read-back.ts'

group('samples', () => {
  it.each([
    [
      '0 0 L-3,15 * *',
      'At 00:00, on day 15 of the month; or: on the day 3 days before the last day of the month',
    ],
    ['0 0 L,15 * *', 'At 00:00, on day 15 of the month; or: on the last day of the month'],
    ['0 0 * * 1/2', 'At 00:00, on Sunday, Monday, Wednesday and Friday'],
    ['0 0 * * 6/2', 'At 00:00, on Saturday'],
    ['0 0 * * 7/2', 'At 00:00, on Sunday'],
    ['*/59 * * * *', 'At 0 and 59 minutes past the hour'],
    ['*/5 * * * *', 'Every 5 minutes'],
    ['*/7 * * * *', 'At every 7 from 0 through 56 minutes past the hour'],
    ['0 */5 * * *', 'At 00:00, 05:00, 10:00, 15:00 and 20:00'],
    ['0 */2 * * *', 'Every 2 hours'],
    [
      '0 0 * * MON#1,FRI#3',
      'At 00:00, on the first Monday of the month; or: on the third Friday of the month',
    ],
    ['0 0 * * MON,FRI#3', 'At 00:00, on Monday; or: on the third Friday of the month'],
    [
      '0 0 */2 * SUN',
      'At 00:00, on day every 2 from 1 through 31 of the month, and on Sunday (both must hold)',
    ],
    [
      '0 0 1,L * FRI#1,MON',
      'At 00:00, (on day 1 of the month; or: on the last day of the month), and (on Monday; or: on the first Friday of the month) (either day will do)',
    ],
    ['0 9-17 * * *', 'Every hour, from 09:00 through 17:00'],
    ['*/15 9-17 * * *', 'Every 15 minutes, between 09:00 and 17:59'],
    ['30 22-2 * * *', 'At 00:30, 01:30, 02:30, 22:30 and 23:30'],
    [
      '0 0 0 1 JAN,MAR-MAY * 2026-2028,2030',
      'At 00:00, on day 1 of the month, only in January and March through May, only in 2026 through 2028 and 2030',
    ],
    ['0 0 * 11-2 *', 'At 00:00, only in November through February'],
    ['0 0 ? * FRI-MON', 'At 00:00, Friday through Monday'],
  ])('%s', (expression, words) => expect(describe(expression)).toBe(words))

  it('conditions on the day are joined by the word for how they go together', () => {
    expect(describe('0 0 13 * FRI', { lang: 'zh' })).toBe(
      '在00:00, 限每月 13 号, 或者为星期五（两个日期条件满足其一即可）',
    )
    expect(describe('0 0 */2 * SUN', { lang: 'zh' })).toBe(
      '在00:00, 限每月 1至31每隔2 号, 并且为星期日（两个日期条件须同时满足）',
    )
  })
  it.each<[string, object | null, RegExp]>([
    ['a language', { lang: 'fr' }, /lang must be 'en' or 'zh'/],
    ['a misspelt option', { locale: 'zh' }, /no describe\(\) option "locale"/],
    ['no object', null, /must be an object/],
  ])('refuses %s', (_, options, message) =>
    expect(() => describe('@daily', options as never)).toThrow(message),
  )
})

/** Numbers from 0 up to, but not including, 1; the same for the same seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function draw(next: () => number): string {
  const whole = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  const pick = <T>(...choices: T[]) => choices[whole(0, choices.length - 1)] as T
  const plain = (min: number, max: number): string => {
    const [a, b, n] = [whole(min, max), whole(min, max), whole(1, max - min + 1)]
    return pick('*', `${a}`, `${a}`, `${a}-${b}`, `${a}-${b}/${n}`, `*/${n}`, `${a}/${n}`)
  }
  const list = (one: () => string) => Array.from({ length: pick(1, 1, 2, 3) }, one).join(',')
  const date = () =>
    pick(plain(1, 31), plain(1, 31), 'L', `L-${whole(0, 30)}`, `${whole(1, 31)}W`, 'LW', `L-${whole(0, 30)}W`)
  const weekday = () =>
    pick(plain(0, 7), plain(0, 7), 'MON-FRI', `${whole(0, 7)}L`, `FRI#${whole(1, 5)}`, `${whole(0, 7)}#L`)
  const fields = [
    list(() => plain(0, 59)),
    list(() => plain(0, 23)),
    pick('*', '?', list(date)),
    pick(
      '*',
      list(() => plain(1, 12)),
    ),
    pick('*', '?', list(weekday)),
  ]
  if (next() < 0.4) fields.unshift(list(() => plain(0, 59)))
  if (fields.length === 6 && next() < 0.5)
    fields.push(
      pick('*', `${whole(2026, 2030)}`, `2026-${whole(2027, 2035)}`, `2026/${whole(1, 9)}`, '2026,2028'),
    )
  return fields.join(' ')
}

// WORDS=20000 npx vitest run … for a long search.
const draws = Number(process.env.WORDS ?? 400)

it.each(['en', 'zh'] as const)(
  'the words of any expression, read back, agree with its instants: %s',
  (lang) => {
    const next = random(Number(process.env.SEED ?? 7))
    let checked = 0
    for (let i = 0; checked < draws && i < draws * 20; i++) {
      const expression = draw(next)
      let trigger: ReturnType<typeof cron>
      try {
        trigger = cron(expression, { timezone: 'UTC' })
      } catch {
        continue
      }
      const text = describe(expression, { lang })
      const holds = readBack(text, lang)
      let at: Date | undefined = new Date(Date.UTC(2026, 0, 1) + next() * 1e11)
      for (let step = 0; step < 40; step++) {
        const before: Date = at
        at = trigger.next(before)
        if (!at) break
        expect([expression, text, at.toISOString(), holds(at)]).toEqual([
          expression,
          text,
          at.toISOString(),
          true,
        ])
        // Between two instants there is none: near them, and anywhere.
        for (const other of [
          before.getTime() + 1000,
          at.getTime() - 1000,
          at.getTime() - 60_000,
          at.getTime() - 3_600_000,
          before.getTime() + next() * (at.getTime() - before.getTime()),
        ]) {
          const second = new Date(Math.floor(other / 1000) * 1000)
          if (second <= before || second >= at) continue
          expect([expression, text, second.toISOString(), holds(second)]).toEqual([
            expression,
            text,
            second.toISOString(),
            false,
          ])
        }
      }
      checked++
    }
    expect(checked).toBe(draws)
  },
  20_000 + draws * 10,
)
