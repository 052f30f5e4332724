import { detached } from '@escapement/core'

/** Calls `fn` after `ms`, outside of any request, without keeping the process. Returns the undo. */
export function after(ms: number, fn: () => void): () => void {
  const timer = detached(() => setTimeout(fn, ms).unref())
  return () => clearTimeout(timer)
}

/** Waits for a promise to settle, at most `ms`. */
export async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    const settled = () => {
      clearTimeout(timer)
      resolve()
    }
    promise.then(settled, settled)
  })
}
