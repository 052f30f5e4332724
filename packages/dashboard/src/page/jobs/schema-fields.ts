/** A field of a form, of one property of a JSON Schema. */
export interface Field {
  readonly name: string
  readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'date' | 'date-time'
  readonly title: string
  readonly help: string | undefined
  readonly required: boolean
  readonly start: unknown
  readonly choices: readonly unknown[]
  readonly least: number | undefined
  readonly most: number | undefined
}

export type Values = Readonly<Record<string, unknown>>

interface Part {
  readonly type?: unknown
  readonly enum?: unknown
  readonly format?: unknown
  readonly title?: unknown
  readonly description?: unknown
  readonly default?: unknown
  readonly minimum?: unknown
  readonly maximum?: unknown
}

/** The fields of an object of plain values; undefined for a schema that a form cannot show: it is asked as JSON. */
export function fieldsOf(schema: unknown): readonly Field[] | undefined {
  const {
    type,
    properties,
    required = [],
  } = (schema ?? {}) as {
    type?: unknown
    properties?: Readonly<Record<string, Part>>
    required?: readonly string[]
  }
  if (type !== 'object' || !properties || Object.keys(properties).length === 0) return undefined
  const fields = Object.entries(properties).map(([name, part]) =>
    fieldOf(name, part, required.includes(name)),
  )
  return fields.every((field) => field !== undefined) ? fields : undefined
}

function fieldOf(name: string, part: Part, required: boolean): Field | undefined {
  const kind = kindOf(part)
  if (!kind) return undefined
  return {
    name,
    kind,
    required,
    title: typeof part.title === 'string' ? part.title : name,
    help: typeof part.description === 'string' ? part.description : undefined,
    start: part.default,
    choices: Array.isArray(part.enum) ? part.enum : [],
    least: typeof part.minimum === 'number' ? part.minimum : undefined,
    most: typeof part.maximum === 'number' ? part.maximum : undefined,
  }
}

function kindOf({ type, format, enum: choices }: Part): Field['kind'] | undefined {
  if (Array.isArray(choices) && choices.every((each) => typeof each !== 'object')) return 'choice'
  if (type === 'boolean' || type === 'number' || type === 'integer') return type
  if (type !== 'string') return undefined
  return format === 'date' || format === 'date-time' ? format : 'text'
}

/** What a form holds before anyone has typed. */
export function startOf(fields: readonly Field[]): Values {
  const known = fields.filter(
    ({ start, kind, required }) => start !== undefined || (kind === 'boolean' && required),
  )
  return Object.fromEntries(known.map(({ name, start }) => [name, start ?? false]))
}

/** The values with what was typed into a field; an empty field is left out. */
export function typed(values: Values, { name, kind, choices }: Field, text: string): Values {
  const { [name]: _, ...others } = values
  if (text === '') return others
  if (kind === 'choice') return { ...others, [name]: choices.find((each) => String(each) === text) }
  if (kind === 'number' || kind === 'integer') return { ...others, [name]: Number(text) }
  if (kind === 'date-time') return { ...others, [name]: new Date(text).toISOString() }
  return { ...others, [name]: text }
}
