import type { Output } from '../settings.ts'
import type { Server } from './client.ts'

/** The options of commands that ask a server. */
export interface Given {
  readonly url?: string
  readonly token?: string
  readonly tz?: string
  readonly json?: boolean
  readonly n?: string
  readonly all?: boolean
  readonly follow?: boolean
  readonly job?: string
  readonly group?: string
  readonly owner?: string
  readonly outcome?: string
  readonly state?: string
  readonly cause?: string
  readonly text?: string
  readonly from?: string
  readonly until?: string
  readonly at?: string
  readonly in?: string
  readonly for?: string
  readonly expires?: string
  readonly key?: string
  readonly data?: string
  readonly reason?: string
}

/** What a command has to do its work. */
export interface Work {
  readonly server: Server
  readonly given: Given
  readonly output: Output
  /** The job or run that it is about; empty for commands about none. */
  readonly about: string
}

export type Command = (work: Work) => Promise<number>

/** What the commands read of a job, a run and a line: the API tells more. */
export interface JobRow {
  readonly name: string
  readonly schedule?: string
  readonly next?: string
  readonly running: number
  readonly paused?: { readonly until?: string }
  readonly last?: { readonly outcome: string; readonly at: string }
  readonly overdue: boolean
  readonly failing: boolean
}

export interface RunRow {
  readonly id: string
  readonly job: string
  readonly state: string
  readonly outcome?: string
  readonly reason?: string
  readonly count?: number
  readonly scheduledAt: string
  readonly duration?: number
  readonly error?: { readonly message?: string }
}

export interface LineRow {
  readonly at: string
  readonly level: string
  readonly message: string
  readonly fields?: unknown
}

export interface PageOf<T> {
  readonly items: readonly T[]
  readonly next?: string
}
