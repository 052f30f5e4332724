import { type InspectOptions, inspect } from 'node:util'

/** Lets `console.log()` show the instances of a class as what `toJSON()` gives, not with all that they refer to. */
export function shownAs(name: string, { prototype }: { prototype: { toJSON(): object } }): void {
  Object.defineProperty(prototype, inspect.custom, {
    value(this: { toJSON(): object }, _depth: number, options: InspectOptions) {
      return `${name} ${inspect(this.toJSON(), options)}`
    },
  })
}
