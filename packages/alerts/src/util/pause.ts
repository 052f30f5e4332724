/** Waits, or goes on at once when the signal aborts. With `keepAlive: false` the wait does not keep the process. */
export function pause(
  ms: number,
  signal: AbortSignal,
  { keepAlive = true }: { keepAlive?: boolean } = {},
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    if (!keepAlive) timer.unref()
    signal.addEventListener('abort', done, { once: true })
  })
}
