import type { Store } from '@escapement/core'

/** A store under test. */
export interface OpenStore {
  store: Store
  /** Closes it; what it keeps stays. */
  close(): Promise<void>
}

export interface StoreContractOptions {
  /** Opens the store of this name: empty at first, and as it was left when it is opened again. */
  open(name: string, retention?: { runs: number }): Promise<OpenStore>
  /** False for a store that forgets when it is closed and knows no jobs. Default true. */
  durable?: boolean
  /** How many runs are queried. Default 2,000. */
  queried?: number
}
