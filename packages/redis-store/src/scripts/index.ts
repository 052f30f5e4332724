import { type Script, script } from '@escapement/redis-fleet'
import accept from './accept.lua'
import audit from './audit.lua'
import begin from './begin.lua'
import counted from './counted.lua'
import decided from './decided.lua'
import due from './due.lua'
import enroll from './enroll.lua'
import forget from './forget.lua'
import incident from './incident.lua'
import lines from './lines.lua'
import prelude from './prelude.lua'
import query from './query.lua'
import record from './record.lua'
import rename from './rename.lua'
import stats from './stats.lua'
import tend from './tend.lua'
import update from './update.lua'
import waiting from './waiting.lua'
import withdraw from './withdraw.lua'

export const BEGIN: Script = script(prelude, begin)
export const UPDATE: Script = script(prelude, update)
export const RECORD: Script = script(prelude, record)
export const QUERY: Script = script(prelude, query)
export const FORGET: Script = script(prelude, forget)
export const STATS: Script = script(prelude, stats)
export const ENROLL: Script = script(prelude, enroll)
export const DECIDED: Script = script(prelude, decided)
export const INCIDENT: Script = script(prelude, incident)
export const ACCEPT: Script = script(prelude, accept)
export const DUE: Script = script(prelude, due)
export const WAITING: Script = script(prelude, waiting)
export const WITHDRAW: Script = script(prelude, withdraw)
export const AUDIT: Script = script(prelude, audit)
export const TEND: Script = script(prelude, tend)
export const LINES: Script = script(prelude, lines)
export const COUNTED: Script = script(prelude, counted)
export const RENAME: Script = script(prelude, rename)
