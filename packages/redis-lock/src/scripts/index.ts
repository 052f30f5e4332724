import acquire from './acquire.lua'
import beat from './beat.lua'
import claim from './claim.lua'
import end from './end.lua'
import extend from './extend.lua'
import leave from './leave.lua'
import page from './page.lua'
import release from './release.lua'
import { plainScript, type Script, script } from './script.ts'
import tend from './tend.lua'

export { type Greeting, greeting, isRestored, type Open, opens, type Told } from './greeting.ts'
export { marked, type Script } from './script.ts'

export const CLAIM: Script = script(claim)
export const BEAT: Script = script(beat)
export const END: Script = script(end)
export const TEND: Script = script(tend)
export const PAGE: Script = script(page)
export const LEAVE: Script = script(leave)

/** For redlock. */
export const MUTEX: { acquire: Script; acquireUnguarded: Script; extend: Script; release: Script } = {
  acquire: script(acquire),
  acquireUnguarded: script(acquire.replace('local GUARD = true', 'local GUARD = false')),
  extend: plainScript(extend),
  release: plainScript(release),
}

/** Scripts that do nothing on a server that is not the one which was greeted. */
export const GUARDED: readonly Script[] = [CLAIM, BEAT, TEND, MUTEX.acquire, MUTEX.acquireUnguarded]
