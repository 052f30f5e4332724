import { type Script, script } from '../script.ts'
import beat from './beat.lua'
import command from './command.lua'
import events from './events.lua'
import leave from './leave.lua'
import members from './members.lua'
import pauses from './pauses.lua'
import poll from './poll.lua'
import prelude from './prelude.lua'

export const BEAT: Script = script(prelude, beat)
export const LEAVE: Script = script(prelude, leave)
export const MEMBERS: Script = script(prelude, members)
export const POLL: Script = script(prelude, poll)
export const PAUSES: Script = script(prelude, pauses)
export const COMMAND: Script = script(prelude, command)
export const EVENTS: Script = script(prelude, events)
