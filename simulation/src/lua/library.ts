/** What compiled Lua needs at run time. Several values are an array; a table is never one. */
import { toRegExp } from './pattern.ts'

export type Value = unknown

/** A Lua table. Keys 1 to n are in `list`, the others in `map`. */
export class Table {
  readonly list: Value[]
  #map: Map<Value, Value> | undefined

  constructor(list: Value[] = []) {
    this.list = list
  }

  get(key: Value): Value {
    if (typeof key === 'number' && key >= 1 && key <= this.list.length) return this.list[key - 1]
    return this.#map?.get(key)
  }

  set(key: Value, value: Value): void {
    if (key === undefined) throw new Error('table index is nil')
    if (typeof key === 'number' && key >= 1 && key <= this.list.length + 1 && Number.isInteger(key)) {
      if (key === this.list.length && value === undefined) this.list.pop()
      else this.list[key - 1] = value
      return
    }
    this.#map ??= new Map()
    if (value === undefined) this.#map.delete(key)
    else this.#map.set(key, value)
  }

  *entries(): Iterable<[Value, Value]> {
    for (const [i, value] of this.list.entries()) if (value !== undefined) yield [i + 1, value]
    if (this.#map) yield* this.#map
  }
}

/** The first of what a call gives. */
export function first(values: Value): Value {
  return Array.isArray(values) ? values[0] : values
}

export function all(values: Value): Value[] {
  return Array.isArray(values) ? values : [values]
}

export function index(table: Value, key: Value): Value {
  if (table instanceof Table) return table.get(key)
  throw new Error(`attempt to index a ${type(table)} value (${String(key)})`)
}

export function put(table: Value, key: Value, value: Value): void {
  if (!(table instanceof Table)) throw new Error(`attempt to index a ${type(table)} value (${String(key)})`)
  table.set(key, value)
}

export function call(fn: Value, ...args: Value[]): Value {
  if (typeof fn !== 'function') throw new Error(`attempt to call a ${type(fn)} value`)
  return fn(...args)
}

/** A call whose error is a table with `err`, as of `redis.pcall`. */
export function protect(fn: (...args: Value[]) => Value): (...args: Value[]) => Value {
  return (...args) => {
    try {
      return fn(...args)
    } catch (error) {
      const table = new Table()
      table.set('err', (error as Error).message)
      return table
    }
  }
}

/** Arithmetic takes texts that are numbers. */
export function num(value: Value): number {
  if (typeof value === 'number') return value
  const number = typeof value === 'string' ? tonumber(value) : undefined
  if (number === undefined) throw new Error(`attempt to perform arithmetic on a ${type(value)} value`)
  return number
}

/** A comparison does not: a number beside a text is an error. */
export function less(a: Value, b: Value): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b
  if (typeof a === 'string' && typeof b === 'string') return a < b
  throw new Error(`attempt to compare ${type(a)} with ${type(b)}`)
}

export function lessOrEqual(a: Value, b: Value): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a <= b
  if (typeof a === 'string' && typeof b === 'string') return a <= b
  throw new Error(`attempt to compare ${type(a)} with ${type(b)}`)
}

export function text(value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return digits(value)
  throw new Error(`attempt to concatenate a ${type(value)} value`)
}

export function length(value: Value): number {
  if (typeof value === 'string') return value.length
  if (value instanceof Table) return value.list.length
  throw new Error(`attempt to get length of a ${type(value)} value`)
}

function type(value: Value): string {
  if (value === undefined) return 'nil'
  return value instanceof Table ? 'table' : typeof value
}

/** As C's `%.14g`, which Lua 5.1 uses: 16 digits of a time in µs become `1.7952192e+15`. */
function digits(number: number): string {
  if (Number.isInteger(number) && Math.abs(number) < 1e14) return String(number)
  const [mantissa = '', exponent] = number.toPrecision(14).split('e')
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
  if (exponent === undefined) return short
  const power = Math.abs(Number(exponent))
  return `${short}e${exponent.startsWith('-') ? '-' : '+'}${power < 10 ? '0' : ''}${power}`
}

function tonumber(value: Value): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || !/^\s*-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)) return undefined
  return Number(value)
}

function match(subject: Value, pattern: Value): Value {
  const found = toRegExp(text(pattern)).exec(text(subject))
  if (!found) return undefined
  return found.length > 1 ? found.slice(1) : found[0]
}

function format(pattern: Value, ...values: Value[]): string {
  let next = 0
  return text(pattern).replace(/%(\.0f|d|s|%)/g, (_, kind: string) => {
    if (kind === '%') return '%'
    const value = values[next++]
    return kind === 's' ? text(value) : BigInt(Math.round(num(value))).toString()
  })
}

/** The globals that scripts may use. Any other name is refused when a script is compiled. */
export const globals: Readonly<Record<string, Value>> = {
  tonumber,
  tostring: (value: Value) =>
    typeof value === 'number' || typeof value === 'string'
      ? text(value)
      : value === undefined
        ? 'nil'
        : String(value),
  type,
  unpack: (table: Table, from = 1, to = table.list.length) => table.list.slice(from - 1, to),
  ipairs: (table: Table) => {
    const end = table.list.indexOf(undefined)
    return (end < 0 ? table.list : table.list.slice(0, end)).map((value, i) => [i + 1, value])
  },
  pairs: (table: Table) => [...table.entries()],
  error: (message: Value) => {
    throw new Error(String(message instanceof Table ? message.get('err') : message))
  },
  math: new Map<string, Value>([
    ['floor', (x: Value) => Math.floor(num(x))],
    ['ceil', (x: Value) => Math.ceil(num(x))],
    ['min', (...x: Value[]) => Math.min(...x.map(num))],
    ['max', (...x: Value[]) => Math.max(...x.map(num))],
    ['huge', Infinity],
  ]),
  string: new Map<string, Value>([
    ['match', match],
    ['format', format],
    [
      'sub',
      (s: Value, from: number, to = -1) => {
        const whole = text(s)
        const at = (i: number) => (i < 0 ? whole.length + i + 1 : i)
        return whole.slice(Math.max(at(from), 1) - 1, at(to))
      },
    ],
    ['len', (s: Value) => text(s).length],
    [
      'gmatch',
      (s: Value, pattern: Value) =>
        [...text(s).matchAll(new RegExp(toRegExp(text(pattern)), 'gs'))].map((found) =>
          found.length > 1 ? found.slice(1) : [found[0]],
        ),
    ],
  ]),
  table: new Map<string, Value>([
    ['insert', (table: Table, value: Value) => table.set(table.list.length + 1, value)],
    ['concat', (table: Table, between: Value = '') => table.list.map(text).join(text(between))],
  ]),
}
