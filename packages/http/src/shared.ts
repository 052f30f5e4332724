import type { Server } from 'node:net'
import type { SignalSettings } from './options.ts'
import type { ExpressApp } from './wrap-listen.ts'

/** How sure it is that a server serves a scheduler: seen, or guessed. */
export type Certainty = 'exact' | 'likely'

/** What a binding needs of what all bindings of a process share. */
export interface Shared<Binding> {
  readonly signals: { add(binding: Binding, settings: SignalSettings): void; delete(binding: Binding): void }
  /** The functions Express hides middleware of ours in. */
  readonly mounted: WeakSet<object>
  follow(app: ExpressApp, binding: Binding): void
  attach(server: Server, binding: Binding): void
  offer(binding: Binding): void
  join(server: Server, binding: Binding, certainty: Certainty): Binding[] | undefined
  leave(server: Server, binding: Binding): void
  contested(server: Server, binding: Binding): boolean
  /** How long a server has listened, in ms. */
  age(server: Server): number
}
