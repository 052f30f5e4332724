import type { Logger, Run } from '@escapement/core'

/** What a handler in a thread gets: a run's plain data, and what can be sent back and forth. */
export interface WorkerRun<Data = unknown>
  extends Pick<
    Run<Data>,
    | 'id'
    | 'key'
    | 'tick'
    | 'cause'
    | 'data'
    | 'late'
    | 'attempt'
    | 'restarts'
    | 'fence'
    | 'traceId'
    | 'traceparent'
  > {
  readonly job: { readonly name: string }
  /** Aborts when the run's does. The thread is ended a moment later. */
  readonly signal: AbortSignal
  /** Writes through the scheduler's logger, with the run's ids. */
  readonly log: Logger
  progress(fraction: number, note?: string): void
}

/** A run as it is sent to a thread. */
export type Sent = Omit<WorkerRun, 'signal' | 'log' | 'progress'>

/** What a thread is given. */
export interface Task {
  module: string
  run: Sent
  port: MessagePort
}

/** What a thread tells. */
export type Told =
  | { kind: 'log'; level: keyof Logger; fields: object | string; message: string | undefined }
  | { kind: 'progress'; fraction: number; note: string | undefined }

type MessagePort = import('node:worker_threads').MessagePort
