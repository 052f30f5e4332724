import { useEffect, useRef, useState } from 'preact/hooks'
import { get } from './client.ts'
import { changes } from './live.ts'

export interface Data<T> {
  readonly data: T | undefined
  readonly error: Error | undefined
  /** Nothing has come yet. */
  readonly loading: boolean
}

const kept = new Map<string, unknown>()

/** What the API gives at a path, asked for again when something has changed. An older answer is shown until then. */
export function useData<T>(path: string | undefined): Data<T> {
  const [state, set] = useState<{ path: string | undefined; error?: Error | undefined }>({ path })
  const version = changes.value
  useEffect(() => {
    if (path === undefined) return
    const abort = new AbortController()
    get<T>(path, abort.signal).then(
      (value) => {
        keep(path, value)
        set({ path })
      },
      (error: Error) => {
        if (!abort.signal.aborted) set({ path, error })
      },
    )
    return () => abort.abort()
  }, [path, version])
  const shown = useRef<T | undefined>(undefined)
  const answer = path === undefined ? undefined : (kept.get(path) as T | undefined)
  if (answer !== undefined) shown.current = answer
  // While another question is asked, or its answer fails, what was shown stays on the screen.
  const data = shown.current
  const error = state.path === path ? state.error : undefined
  return { data, error, loading: data === undefined && error === undefined }
}

/** The newest 40 answers: going back shows at once what was there. */
function keep(path: string, value: unknown): void {
  kept.delete(path)
  kept.set(path, value)
  const oldest = kept.keys().next().value
  if (kept.size > 40 && oldest !== undefined) kept.delete(oldest)
}
