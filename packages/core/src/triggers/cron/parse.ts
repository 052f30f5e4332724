import { EscapementError, show } from '../../errors.ts'
import { nearest } from '../../util/nearest.ts'
import { malformed } from './cron-error.ts'
import { Days } from './days.ts'
import { parseField } from './field.ts'
import { type Field, type FieldName, type Fields, rules } from './fields.ts'
import { foreignHint } from './foreign.ts'

const nicknames: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const layout: FieldName[] = ['second', 'minute', 'hour', 'day-of-month', 'month', 'day-of-week', 'year']

/** Reads `@every 1h30m`: the text of the duration, or undefined for any other expression. */
export function everyText(expression: string): string | undefined {
  return /^\s*@every\s+(\S+)\s*$/i.exec(expression)?.[1]
}

/**
 * Reads an expression of 5, 6 or 7 fields or a nickname. `seed` settles `H`.
 * Throws `ERR_ESCAPEMENT_CRON`, and `ERR_ESCAPEMENT_TRIGGER` if it can never fire.
 */
export function parse(expression: string, seed: string): Fields {
  if (typeof expression !== 'string') throw malformed(expression, 'expected a string')
  if (expression.length > 1000) throw malformed(expression, 'longer than 1000 characters')
  const written = expression.trim()
  if (written.startsWith('@')) {
    const standard = nicknames[written.toLowerCase()]
    if (!standard) throw unknownNickname(expression, written)
    return parse(standard, seed)
  }
  if (/^(CRON_)?TZ=/i.test(written)) throw malformed(expression, 'the time zone is an option: { timezone }')
  const words = [...expression.matchAll(/\S+/g)]
  if (words.length < 5 || words.length > 7) throw miscounted(expression, words.length)
  const first = words.length === 5 ? 1 : 0
  const fields = readFields(expression, words, first, seed)
  const [second, minute, hour, dayOfMonth, month, dayOfWeek, year] = fields
  if (!second || !minute || !hour || !dayOfMonth || !month || !dayOfWeek)
    throw miscounted(expression, words.length)
  const result: Fields = {
    second,
    minute,
    hour,
    dayOfMonth,
    month,
    dayOfWeek,
    year: year?.text === '*' ? undefined : year,
    followsElapsedTime: [second, minute, hour].some((field) => field.text.startsWith('*')),
    hashed: fields.some((field) => field?.hashed),
  }
  if (!Days.of(result).possible(result.year)) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_TRIGGER',
      `Cron expression ${show(expression)} can never fire: no year has a day that matches ` +
        `day-of-month ${show(dayOfMonth.text)}, month ${show(month.text)} and day-of-week ${show(dayOfWeek.text)}` +
        `${result.year ? ` in ${result.year.text}` : ''}`,
    )
  }
  return result
}

function readFields(
  expression: string,
  words: readonly RegExpExecArray[],
  first: number,
  seed: string,
): (Field | undefined)[] {
  try {
    return layout.map((name, i) => {
      const word = words[i - first]
      if (i < first) return parseField(rules[name], { text: '0', at: 0, expression, seed })
      return word && parseField(rules[name], { text: word[0], at: word.index, expression, seed })
    })
  } catch (error) {
    const hint = foreignHint(expression)
    if (hint === undefined) throw error
    throw malformed(expression, hint)
  }
}

/** The fields as an expression, `H` replaced by what it stands for. */
export function writeOut({ second, minute, hour, dayOfMonth, month, dayOfWeek, year }: Fields): string {
  const text = (field: Field) => {
    if (!field.hashed) return field.text
    const special = field.text.split(',').filter((item) => /[LW#]/i.test(item.replace(/^h\b.*/i, '')))
    return [...field.set.values(), ...special].join(',')
  }
  const fields = [minute, hour, dayOfMonth, month, dayOfWeek]
  if (second.text !== '0' || year) fields.unshift(second)
  if (year) fields.push(year)
  return fields.map(text).join(' ')
}

function miscounted(expression: string, count: number): EscapementError {
  const why =
    count === 0
      ? 'it is empty'
      : `it has ${count} field${count === 1 ? '' : 's'}; 5 are minute, hour, day-of-month, month, day-of-week; ` +
        '6 have a second first; 7 have a year last'
  const foreign = foreignHint(expression)
  if (foreign) return malformed(expression, foreign)
  const idea = count === 1 ? nearest(`@${expression.trim()}`, Object.keys(nicknames)) : undefined
  return malformed(expression, why, idea)
}

function unknownNickname(expression: string, written: string): EscapementError {
  if (/^@reboot$/i.test(written)) {
    return malformed(expression, 'there is no @reboot; run the job once at start with scheduler.run()')
  }
  if (/^@every/i.test(written)) {
    return malformed(expression, '@every takes one duration', '@every 1h30m')
  }
  const names = [...Object.keys(nicknames), '@every 1h30m']
  return malformed(
    expression,
    `there is no such nickname (there are: ${names.join(' ')})`,
    nearest(written, Object.keys(nicknames)),
  )
}
