import { randomUUID } from 'node:crypto'
import type { Clock } from '@escapement/core'
import { SEVERITIES } from '../incident/match.ts'
import type { Incident, Message, Notice, Thread } from '../types/index.ts'

export interface ComposeContext {
  readonly clock: Pick<Clock, 'now'>
  readonly instance: string
  notice(incident: Incident, channel: string, escalated: boolean): Promise<Notice>
}

/** Writes the message about some incidents, the first being the worst. */
export async function compose(
  items: readonly { incident: Incident; escalated: boolean }[],
  channel: string,
  { clock, instance, notice }: ComposeContext,
): Promise<Message> {
  const notices = await Promise.all(
    items.map(({ incident, escalated }) => notice(incident, channel, escalated)),
  )
  const id = randomUUID()
  const told = items.map(({ incident }) => incident.told[channel]?.thread)
  const threads = new Map(told.flatMap((thread) => (thread ? [[thread.id, thread] as const] : [])))
  const [known] = threads.values()
  const { kind, subject } = notices[0] as Notice
  // All of them were reported in one message: this one answers to it.
  const answers = known !== undefined && threads.size === 1 && !told.includes(undefined)
  const thread: Thread = answers ? known : { id, incidents: notices.length, kind, subject }
  return {
    id,
    at: new Date(clock.now()),
    instance,
    severity: worst(notices),
    notices,
    thread,
    references: [...threads.keys()],
  }
}

function worst(notices: readonly Notice[]): Notice['severity'] {
  const found = notices.map(({ severity }) => SEVERITIES.indexOf(severity))
  return SEVERITIES[Math.max(...found)] ?? 'info'
}
