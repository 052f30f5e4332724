/** Wall and monotonic time, and the timers that follow them. All in milliseconds. */
export interface Clock {
  /** Wall time since the epoch. May jump. */
  now(): number
  /** Since an arbitrary start. Never jumps. */
  monotonic(): number
  setTimeout(callback: () => void, ms: number): Timer
  clearTimeout(timer: Timer): void
  /** Runs `callback` after pending I/O. */
  setImmediate(callback: () => void): void
}

/** A pending timer, as Node's or a virtual one. */
export interface Timer {
  ref?(): unknown
  unref?(): unknown
}
