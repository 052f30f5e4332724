import { type InspectOptions, inspect } from 'node:util'

/**
 * Lets `console.log()` show the instances of a class as one line, not with all that they refer to.
 *
 * @param shown What the line holds. What is undefined is left out.
 */
export function shownAs<T>(name: string, { prototype }: { prototype: T }, shown: (one: T) => object): void {
  Object.defineProperty(prototype, inspect.custom, {
    value(this: T, _depth: number, options: InspectOptions) {
      const known = Object.entries(shown(this)).filter(([, value]) => value !== undefined)
      return `${name} ${inspect(Object.fromEntries(known), { ...options, breakLength: Infinity, compact: true })}`
    },
  })
}
