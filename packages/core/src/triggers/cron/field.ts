import { CronExpressionParser } from 'cron-parser'
import { fnv1a } from '../../util/hash.ts'
import { homeOf, nearestName, type Place, problem } from './cron-error.ts'
import { BitSet, type Field, type FieldRule } from './fields.ts'
import { Memo } from './memo.ts'

interface Range {
  readonly first: number
  readonly last: number
  readonly step: number
}

interface Found {
  values: number[]
  last: number[]
  near: number[]
  nearLast: number[]
  nth: [number, number][]
  hashed: boolean
}

const known = new Memo<Field>(4000)
const expanded = new Memo<number[]>(4000)
const sets = new Memo<BitSet>(2000)

/** A field as it is written. */
export interface FieldText {
  readonly text: string
  /** Where it stands in the expression. */
  readonly at: number
  readonly expression: string
  /** Settles `H`. */
  readonly seed: string
}

/** Reads one field. Fields without `H` are remembered: real schedules share a few hundred of them. */
export function parseField(rule: FieldRule, field: FieldText): Field {
  const read = () => readField(rule, field)
  // Not THU.
  const hashed = /h(?![a-z])/i.test(field.text)
  return hashed ? read() : known.get(`${rule.name} ${field.text}`, read)
}

function readField(rule: FieldRule, { text, at, expression, seed }: FieldText): Field {
  const found: Found = { values: [], last: [], near: [], nearLast: [], nth: [], hashed: false }
  const question = text === '?' && (rule.name === 'day-of-month' || rule.name === 'day-of-week')
  if (question) found.values = expand(rule, '*')
  else {
    let offset = at
    for (const token of text.split(',')) {
      parseItem(rule, { expression, rule, token, at: offset }, seed, found)
      offset += token.length + 1
    }
  }
  const sunday = rule.name === 'day-of-week'
  const values = sunday ? found.values.map((day) => day % 7) : found.values
  return {
    text,
    star: question || text.startsWith('*'),
    set: bitSet(rule.min, sunday ? 6 : rule.max, values),
    last: some(found.last),
    near: some(found.near),
    nearLast: some(found.nearLast),
    nth: some(found.nth),
    hashed: found.hashed,
  }
}

function some<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined
}

// Ten thousand jobs with an `H` have ten thousand fields, but few sets.
function bitSet(min: number, max: number, values: number[]): BitSet {
  return sets.get(`${min} ${max} ${values}`, () => new BitSet(min, max, values))
}

function parseItem(rule: FieldRule, place: Place, seed: string, found: Found): void {
  const { token } = place
  if (token === '') throw problem(place, 'a value is missing')
  if (rule.name === 'day-of-month' && dayOfMonth(place, found)) return
  if (rule.name === 'day-of-week' && dayOfWeek(rule, place, found)) return
  if (/^h(?![a-z])/i.test(token) && rule.name !== 'year') {
    found.hashed = true
    found.values.push(...hashed(rule, place, seed))
    return
  }
  found.values.push(...plain(rule, place))
}

/** `L`, `L-3`, `LW`, `L-3W`, `15W`. */
function dayOfMonth(place: Place, found: Found): boolean {
  const last = /^L(?:-(\d{1,2}))?(W)?$/i.exec(place.token)
  if (last) {
    const back = Number(last[1] ?? 0)
    if (back > 30) throw problem(place, 'no month has that number of days before its last')
    ;(last[2] ? found.nearLast : found.last).push(back)
    return true
  }
  const near = /^(\d{1,2})W$/i.exec(place.token)
  if (!near) return false
  const day = Number(near[1])
  if (day < 1 || day > 31) throw problem(place, 'W needs a day from 1 to 31 before it')
  found.near.push(day)
  return true
}

/** `5L`, `FRIL`, `5#3`, `FRI#3`, `5#L`. */
function dayOfWeek(rule: FieldRule, place: Place, found: Found): boolean {
  const special = /^(\d|[a-z]{3})(?:L|#([1-5L]))$/i.exec(place.token)
  if (!special) {
    if (/^L$/i.test(place.token)) throw problem(place, 'L needs a weekday before it', '5L')
    if (/^[^-,/]+#/.test(place.token))
      throw problem(place, '# needs a weekday before it and 1 to 5 after it', '5#3')
    return false
  }
  const day = value(rule, special[1] as string, place) % 7
  found.nth.push([day, /^\d$/.test(special[2] ?? '') ? Number(special[2]) : 0])
  return true
}

/** `*`, `5`, `1-5`, `22-2`, each with a step or without, and `5/15` for `5-max/15`. */
function plain(rule: FieldRule, place: Place): number[] {
  const { token } = place
  const slash = token.indexOf('/')
  const base = slash < 0 ? token : token.slice(0, slash)
  const step = slash < 0 ? 1 : readStep(rule, token.slice(slash + 1), place)
  const suffix = step === 1 ? '' : `/${step}`
  if (base === '*') return expand(rule, `*${suffix}`)
  const dash = base.indexOf('-')
  let first = value(rule, dash < 0 ? base : base.slice(0, dash), place)
  if (dash < 0)
    return expand(rule, slash < 0 || first === rule.max ? `${first}` : `${first}-${rule.max}${suffix}`)
  let last = value(rule, base.slice(dash + 1), place)
  // Sunday is 0 at the start of a range and 7 at its end: FRI-SUN, 5-0, 7-2.
  if (rule.name === 'day-of-week') {
    if (last === 0 && first > 0) last = 7
    else if (first === 7 && last < 7) first = 0
  }
  if (first === last) return expand(rule, `${first}`)
  if (first < last) return expand(rule, `${first}-${last}${suffix}`)
  return wrapAround(rule, place, { first, last, step })
}

/**
 * `22-2`: through the end of the field and on from its start. A backward range over more than two thirds of a
 * field without names (`17-9`, `5-3`) is taken for a slip, unless it starts at the field's last value (`23-22`).
 */
function wrapAround(rule: FieldRule, place: Place, range: Range): number[] {
  const { first, last, step } = range
  const [min, max] = rule.name === 'day-of-week' ? [0, 6] : [rule.min, rule.max]
  if (rule.name === 'year') throw problem(place, 'years do not wrap around', `${last}-${first}`)
  const size = max - min + 1
  const covered = last - first + size + 1
  if (!rule.names && first !== max && covered * 3 > size * 2) {
    throw problem(
      place,
      `it runs backwards; to wrap around write "${first}-${max},${min}-${last}"`,
      `${last}-${first}${step > 1 ? `/${step}` : ''}`,
    )
  }
  const values: number[] = []
  for (let i = 0; i < covered; i += step) values.push(((first - min + i) % size) + min)
  return values
}

function value(rule: FieldRule, text: string, place: Place): number {
  if (/^\d{1,4}$/.test(text)) {
    const number = Number(text)
    if (number >= rule.min && number <= rule.max) return number
    const wraps = rule.min === 0 && number === rule.max + 1 && rule.name !== 'day-of-week'
    throw problem(place, `${text} is outside ${rule.min}–${rule.max}`, wraps ? '0' : undefined)
  }
  const index = text.length === 3 ? (rule.names ?? []).indexOf(text.toUpperCase()) : -1
  if (index >= 0) return index + rule.min
  if (text === '') throw problem(place, 'a value is missing')
  if (text === '?') throw problem(place, '? stands alone, and only in a day field', '*')
  const home = homeOf(text)
  if (home) throw problem(place, `${text} belongs into the ${home} field`)
  if (/^(L|LW|W|L-\d+|\d+[LW])$/i.test(text)) throw problem(place, `${text} cannot be used like this here`)
  throw problem(
    place,
    `${text} is not understood`,
    /^[a-z]+$/i.test(text) ? nearestName(text, rule) : undefined,
  )
}

function readStep(rule: FieldRule, text: string, place: Place): number {
  const step = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (step < 1) throw problem(place, 'a step is a whole number from 1')
  const size = rule.max - rule.min + 1
  if (step <= size) return step
  const unit = { second: 's', minute: 'm', hour: 'h' }[rule.name as string]
  throw problem(place, `a step of ${step} is longer than the field`, unit && `@every ${step}${unit}`)
}

/** `H`, `H/15`, `H(0-29)`, `H(0-29)/10`. */
function hashed(rule: FieldRule, place: Place, seed: string): number[] {
  const form = /^h(?:\((\d{1,2})-(\d{1,2})\))?(?:\/(.*))?$/i.exec(place.token)
  if (!form) throw problem(place, 'H is written H, H/15, H(0-29) or H(0-29)/10')
  // Every month has 28 days; a week has seven, though Sunday has two numbers.
  const max = { 'day-of-month': 28, 'day-of-week': 6 }[rule.name as string] ?? rule.max
  const low = form[1] === undefined ? rule.min : value(rule, form[1], place)
  const high = form[2] === undefined ? max : value(rule, form[2], place)
  if (low > high) throw problem(place, 'the range of H runs backwards', `H(${high}-${low})`)
  const size = high - low + 1
  if (form[3] === undefined) return [low + (hash(`${rule.name} ${seed}`) % size)]
  const step = readStep(rule, form[3], place)
  const values: number[] = []
  const start = low + (hash(`${rule.name} ${seed}`) % Math.min(step, size))
  for (let v = start; v <= high; v += step) values.push(v)
  return values
}

/** With a final mix. It is stable for ever: changing it would move everybody's jobs. */
function hash(text: string): number {
  let h = fnv1a(text)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return (h ^ (h >>> 13)) >>> 0
}

const order = ['second', 'minute', 'hour', 'day-of-month', 'month', 'day-of-week']
const names = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const

/** The values of a standard item, already in numbers, as cron-parser reads it. It knows no years. */
function expand(rule: FieldRule, item: string): number[] {
  return expanded.get(`${rule.name} ${item}`, () => {
    const index = order.indexOf(rule.name)
    if (index < 0) return years(rule, item)
    return (parsed(index, item)[names[index] ?? 'second'].values as number[]).slice()
  })
}

function parsed(index: number, item: string) {
  const fields = order.map((_, i) => (i === index ? item : '*'))
  return CronExpressionParser.parse(fields.join(' ')).fields
}

function years(rule: FieldRule, item: string): number[] {
  const [, first, last, step] = /^(\*|\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(item) as unknown as string[]
  const low = first === '*' ? rule.min : Number(first)
  const high = first === '*' ? rule.max : Number(last ?? first)
  const values: number[] = []
  for (let year = low; year <= high; year += Number(step ?? 1)) values.push(year)
  return values
}
