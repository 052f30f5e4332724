/** What a plain item of a field stands for. The expression was checked by `cron()` before. */
export interface Unit {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

/** What a field says. */
export interface Values {
  /** In order. */
  readonly plain: readonly number[]
  /** Items with `L`, `W` or `#`, as they are written. */
  readonly special: readonly string[]
  /** Starts with `*` or `?`: of two day fields, such a one only filters. */
  readonly star: boolean
  readonly all: boolean
}

const months = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
const weekdays = 'SUN MON TUE WED THU FRI SAT'.split(' ')

type UnitName = 'second' | 'minute' | 'hour' | 'date' | 'month' | 'weekday' | 'year'

export const units: Record<UnitName, Unit> = {
  second: { min: 0, max: 59 },
  minute: { min: 0, max: 59 },
  hour: { min: 0, max: 23 },
  date: { min: 1, max: 31 },
  month: { min: 1, max: 12, names: months },
  // 0 and 7 are Sunday.
  weekday: { min: 0, max: 7, names: weekdays },
  year: { min: 1970, max: 2199 },
}

export function readField(text: string, unit: Unit): Values {
  const items = text.toUpperCase().split(',')
  const isSpecial = (item: string) => /^L|[LW]$|#/.test(item)
  const weekly = unit === units.weekday
  const found = items.filter((item) => !isSpecial(item)).flatMap((item) => readItem(item, unit))
  const plain = [...new Set(weekly ? found.map((day) => day % 7) : found)].sort((a, b) => a - b)
  return {
    plain,
    special: items.filter(isSpecial),
    star: /^[*?]/.test(text),
    all: plain.length === (weekly ? 7 : unit.max - unit.min + 1),
  }
}

/** A value: a number or a name. */
export function readValue(text: string, { min, names = [] }: Unit): number {
  const name = names.indexOf(text)
  return name < 0 ? Number(text) : name + min
}

function readItem(item: string, unit: Unit): number[] {
  const [base = '', stepText] = item.split('/')
  const step = Number(stepText ?? 1)
  const { min, max } = unit
  if (base === '*' || base === '?') return range(min, max, step)
  const [a = '', b] = base.split('-')
  let first = readValue(a, unit)
  if (b === undefined) return stepText === undefined ? [first] : range(first, max, step)
  let last = readValue(b, unit)
  if (unit === units.weekday && last === 0 && first > 0) last = 7
  else if (unit === units.weekday && first === 7 && last < 7) first = 0
  if (first <= last) return range(first, last, step)
  // Through the end of the field and on from its start.
  const size = unit === units.weekday ? 7 : max - min + 1
  return range(first, last + size, step).map((value) => ((value - min) % size) + min)
}

function range(first: number, last: number, step: number): number[] {
  const values: number[] = []
  for (let value = first; value <= last; value += step) values.push(value)
  return values
}

/** Values that follow each other, as one part of a list: `[9]`, `[9, 17]`. */
export type Run = readonly [number] | readonly [number, number]

/** The runs of a list: three or more values in a row are one. `cycle`: how many values there are, if the last is followed by the first. */
export function runsOf(values: readonly number[], min: number, cycle?: number): Run[] {
  const list = cycle !== undefined && values.length < cycle ? turned(values, min, cycle) : values
  const runs: number[][] = []
  for (const value of list) {
    const run = runs.at(-1)
    const before = run?.at(-1)
    const next = before !== undefined && (cycle ? ((before - min + 1) % cycle) + min : before + 1)
    if (run && next === value) run.push(value)
    else runs.push([value])
  }
  return runs.flatMap((run): Run[] =>
    run.length > 2 ? [[run[0] as number, run.at(-1) as number]] : run.map((value): Run => [value]),
  )
}

/** So that a run of three or more over the end of the field is not broken: 22, 23, 0, 1. */
function turned(values: readonly number[], min: number, cycle: number): readonly number[] {
  const gap = (i: number) => values[i] !== (values[i - 1] as number) + 1
  if (values[0] !== min || values.at(-1) !== min + cycle - 1) return values
  let first = 1
  while (first < values.length && !gap(first)) first++
  let last = values.length - 1
  while (last > 0 && !gap(last)) last--
  if (first + values.length - last < 3) return values
  return [...values.slice(last), ...values.slice(0, last)]
}

/** The step of values that are equally far from each other, if there are many. */
export function stepOf(values: readonly number[]): number | undefined {
  const [a = 0, b = 0] = values
  const even = values.every((value, i) => value === a + i * (b - a))
  return values.length > 6 && b - a > 1 && even ? b - a : undefined
}
