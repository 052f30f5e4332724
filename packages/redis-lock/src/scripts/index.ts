import { BEAT } from './beat.ts'
import { CLAIM } from './claim.ts'
import { MUTEX } from './mutex.ts'
import type { Script } from './script.ts'
import { TEND } from './tend.ts'

/** Scripts that do nothing on a server that is not the one which was greeted. */
export const GUARDED: readonly Script[] = [CLAIM, BEAT, TEND, MUTEX.acquire, MUTEX.acquireUnguarded]

export { BEAT } from './beat.ts'
export { CLAIM } from './claim.ts'
export { END } from './end.ts'
export { MUTEX } from './mutex.ts'
export { marked, type Script } from './script.ts'
export {
  type Greeting,
  greeting,
  isRestored,
  LEAVE,
  type Open,
  opens,
  PAGE,
  TEND,
  type Told,
} from './tend.ts'
