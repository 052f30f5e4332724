import { t } from '../i18n/index.ts'
import { safe } from '../safe-text.ts'
import { type Field, typed, type Values } from './schema-fields.ts'

interface Props {
  readonly fields: readonly Field[]
  readonly values: Values
  readonly set: (values: Values) => void
}

/** One input for each property of a job's schema. */
export function SchemaForm({ fields, values, set }: Props) {
  return (
    <div class="schema">
      {fields.map((field) => (
        <div key={field.name} class={`field ${field.kind}`}>
          <Input id={idOf(field)} field={field} values={values} set={set} />
          <label for={idOf(field)}>
            {safe(field.title)}
            {field.required && <small> ({t('run.form.required')})</small>}
            {field.help && <small class="faint">{safe(field.help)}</small>}
          </label>
        </div>
      ))}
    </div>
  )
}

const idOf = (field: Field) => `field-${field.name}`

const TYPES = {
  text: 'text',
  number: 'number',
  integer: 'number',
  date: 'date',
  'date-time': 'datetime-local',
} as const

interface InputProps extends Omit<Props, 'fields'> {
  readonly id: string
  readonly field: Field
}

function Input({ id, field, values, set }: InputProps) {
  const { name, kind, required, least, most } = field
  const value = values[name]
  if (kind === 'boolean') {
    const change = (on: boolean) => set({ ...values, [name]: on })
    return (
      <input
        id={id}
        type="checkbox"
        checked={value === true}
        onChange={(e) => change(e.currentTarget.checked)}
      />
    )
  }
  const change = (event: { currentTarget: { value: string } }) =>
    set(typed(values, field, event.currentTarget.value))
  if (kind === 'choice') return <Choices id={id} field={field} value={value} change={change} />
  const shown = kind === 'date-time' ? {} : { value: value === undefined ? '' : String(value) }
  return (
    <input
      id={id}
      // One of them: the types of the library know each alone.
      type={TYPES[kind] as 'text'}
      required={required}
      min={least}
      max={most}
      step={kind === 'integer' ? 1 : 'any'}
      onChange={change}
      {...shown}
    />
  )
}

interface ChoicesProps {
  readonly id: string
  readonly field: Field
  readonly value: unknown
  readonly change: (event: { currentTarget: { value: string } }) => void
}

function Choices({ id, field, value, change }: ChoicesProps) {
  return (
    <select id={id} value={String(value ?? '')} required={field.required} onChange={change}>
      {!field.required && <option value="">–</option>}
      {field.choices.map((each) => (
        <option key={String(each)} value={String(each)}>
          {safe(String(each))}
        </option>
      ))}
    </select>
  )
}
