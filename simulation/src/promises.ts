/** A promise that a history breaks. */
export interface Violation {
  readonly promise: keyof typeof PROMISES
  readonly text: string
}

/** What is promised (docs/redis-lock.md), by the names under which a broken promise is reported. */
export const PROMISES = {
  'first start': 'A tick is started for the first time at most once, and each later start at most once.',
  early: 'No tick is started before its instant.',
  record: 'A job with onAbandoned: record is started at most once for a tick.',
  overlap: 'No run of a job works after another run of it has started.',
  fence: 'The fence rises from run to run of a job.',
  silent: 'A tick that is due while the fleet is up is a run or a named event.',
  unfinished: 'A run that began ends, or is reported by another instance in time.',
  'false word':
    'What succeeded on an instance that lives and reaches Redis is not run again, and not reported lost.',
  again:
    'A run of a job with onAbandoned: rerun whose instance died or lost its lease is run again, or reported lost.',
  stop: 'stop() ends within its deadline.',
  crash: 'No promise is left without a handler, no listener or port throws.',
  'in time':
    'A run whose instance died is run again, or reported, within the lease and three heartbeats, or four scans.',
  'never later': 'A run that was reported as abandoned does not begin afterwards.',
  end: 'The end of a run is written, however often that must be tried.',
  'never began': 'What an instance that serves has refused is not reported as a run that died.',
  pause: 'A job that is paused on one instance starts on none after its next heartbeat, until it is resumed.',
  kept: 'A run of an instance that lives and reaches Redis keeps its lease.',
  helped: 'A tick of a job that may overlap starts as long as one instance is there that nothing disturbs.',
  late: 'When the trouble is over, a tick starts within a second of its instant.',
  back: 'When the trouble is over, all ticks run again.',
  memory: 'Redis holds no more than its retention needs.',
} as const

export type Report = (promise: keyof typeof PROMISES, text: string) => void
