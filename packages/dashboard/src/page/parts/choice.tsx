import { safe } from '../safe-text.ts'
/** One of a few: buttons in a row, of which one is pressed. */
export function Choice<T extends string>(props: {
  label: string
  value: T
  options: readonly (readonly [T, string])[]
  set: (value: T) => void
}) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.options.map(([value, text]) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === props.value}
          onClick={() => props.set(value)}
        >
          {text}
        </button>
      ))}
    </div>
  )
}

/** One of many. */
export function Select(props: {
  label: string
  value: string
  options: readonly (readonly [string, string])[]
  set: (value: string) => void
}) {
  return (
    <label class="select">
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.set(event.currentTarget.value)}>
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {safe(text)}
          </option>
        ))}
      </select>
    </label>
  )
}

export function Search(props: { label: string; value: string; set: (value: string) => void }) {
  return (
    <input
      type="search"
      class="search"
      placeholder={props.label}
      aria-label={props.label}
      value={props.value}
      onInput={(event) => props.set(event.currentTarget.value)}
    />
  )
}
