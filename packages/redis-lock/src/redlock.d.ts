// redlock 5.0.0-beta.2 has types that its "exports" hide from nodenext. These are of what we use.
declare module 'redlock' {
  export class Lock {
    readonly value: string
    readonly expiration: number
    release(): Promise<unknown>
    extend(duration: number): Promise<Lock>
  }
  export class ResourceLockedError extends Error {}
  export class ExecutionError extends Error {
    readonly attempts: readonly Promise<{ readonly votesAgainst: Map<unknown, Error> }>[]
  }
  type Modify = (script: string) => string
  export default class Redlock {
    constructor(
      clients: Iterable<object>,
      settings?: { driftFactor?: number; retryCount?: number },
      scripts?: { acquireScript?: Modify; extendScript?: Modify; releaseScript?: Modify },
    )
    acquire(resources: string[], duration: number): Promise<Lock>
  }
}
