import { randomBytes } from 'node:crypto'
import {
  type Clock,
  type Command,
  type CommandAnswer,
  EscapementError,
  type Fleet,
  type FleetEvent,
  type FleetEventQuery,
  type FleetSelf,
  type Member,
  type MemberFacts,
  type Pause,
} from '@escapement/core'
import { Repeat, sleep } from '@escapement/core/plugin'
import { type Answer, askMajority, type Master } from './masters.ts'
import { memberOf } from './member.ts'
import { SharedPauses } from './pauses.ts'
import type { Script } from './script.ts'
import { BEAT, COMMAND, EVENTS, LEAVE, MEMBERS, POLL } from './scripts/index.ts'

/** Between two looks for news, and between two heartbeats, in ms. */
const POLL_MS = 400
const BEAT_MS = 2_000
/** How long an instance without a heartbeat counts as there, in ms. */
const ALIVE_MS = 15_000
/** How long a command waits for its answer, how often it looks, and how long it is kept, in ms. */
const ANSWER_MS = 5_000
const LOOK_MS = 100
const COMMAND_KEPT_MS = 10_000
const EVENTS_KEPT_MS = 30 * 86_400_000
const MAX_EVENTS = 10_000

export interface SharedFleetParts {
  /** The masters: one, or several of which a majority decides. */
  readonly masters: () => readonly Master[]
  readonly clock: () => Clock
  /** News cannot be read now. */
  onFault(error: unknown): void
  /** News can be read. */
  onRead(): void
}

/** What the instances of an app share over Redis, besides claims: who is there, pauses, commands. Each looks for news now and then. */
export class SharedFleet implements Fleet {
  readonly shared = true
  readonly #parts: SharedFleetParts
  readonly #pauses: SharedPauses
  /** Names this life of the process, and what a Redis without a name keeps from now on. */
  readonly #life = randomBytes(6).toString('hex')
  #self: FleetSelf | undefined
  readonly #polling: Repeat
  /** What each master said last. */
  #news = ''
  #beatAt = -Infinity
  #told: MemberFacts['jobs'] | undefined
  /** Commands that were answered here. */
  #answered = new Set<string>()

  constructor(parts: SharedFleetParts) {
    this.#parts = parts
    this.#polling = new Repeat(async () => {
      await this.#look().then(parts.onRead, parts.onFault)
      return POLL_MS
    })
    this.#pauses = new SharedPauses({
      masters: parts.masters,
      instance: () => this.id,
      now: () => parts.clock().now(),
    })
  }

  async join(self: FleetSelf): Promise<readonly Pause[]> {
    this.#self = self
    this.#told = undefined
    this.#polling.start(this.#parts.clock(), POLL_MS)
    try {
      await this.#beat()
      await this.tell({ at: this.#now(), instance: self.instance, kind: 'started' })
      return await this.#pauses.read()
    } catch (error) {
      // The first look that has an answer gives them.
      this.#parts.onFault(error)
      return this.#pauses.all
    }
  }

  /** Before the connections are closed. */
  async leave(): Promise<void> {
    const self = this.#self
    if (!self) return
    this.#self = undefined
    this.#polling.stop()
    const stopped = this.tell({ at: this.#now(), instance: self.instance, kind: 'stopped' })
    await Promise.allSettled([stopped, this.#ask(LEAVE, [idOf(self, this.#life)])])
  }

  async members(): Promise<readonly Member[]> {
    const found = new Map<string, Member>()
    for (const { reply } of await this.#ask(MEMBERS, [ALIVE_MS])) {
      for (let i = 0; i < reply.length; i += 4) {
        const [id, seen, text, jobs] = reply.slice(i, i + 4).map(String) as [string, string, string, string]
        const known = found.get(id)
        if (text !== '' && !(known && known.seenAt.getTime() >= Number(seen)))
          found.set(id, memberOf(text, jobs, Number(seen)))
      }
    }
    return [...found.values()].toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime())
  }

  pause(pause: Pause): Promise<void> {
    return this.#pauses.keep(pause.job, pause)
  }

  resume(job: string | undefined): Promise<void> {
    return this.#pauses.keep(job, undefined)
  }

  proposePause(pause: Pause): Promise<Pause | undefined> {
    return this.#pauses.propose(pause)
  }

  async send(command: Command): Promise<CommandAnswer> {
    const clock = this.#parts.clock()
    const others = (await this.members()).filter(({ instance }) => instance !== this.#self?.instance)
    if (others.length === 0) return 'unknown'
    this.#answered.add(command.id)
    await this.#ask(COMMAND, ['send', command.id, JSON.stringify(command), '', ''])
    const end = clock.monotonic() + ANSWER_MS
    let answer: CommandAnswer = 'unknown'
    while (answer === 'unknown' && clock.monotonic() < end) {
      await sleep(clock, LOOK_MS)
      const answers = await this.#answersTo(command.id)
      if ([...answers.values()].includes('done')) answer = 'done'
      else if (answers.size >= others.length) break
    }
    // It is not carried out later than it was answered.
    await this.#ask(COMMAND, ['end', command.id, '', '', ''])
    return answer
  }

  async tell(event: FleetEvent): Promise<void> {
    const at = event.at.getTime()
    await this.#ask(EVENTS, ['tell', at, JSON.stringify(event), at - EVENTS_KEPT_MS, MAX_EVENTS])
  }

  async events({ from, until, limit = 100 }: FleetEventQuery): Promise<readonly FleetEvent[]> {
    const newest = until === undefined ? '+inf' : `(${Number(until)}`
    const oldest = from === undefined ? '-inf' : String(Number(from))
    const answers = await this.#ask(EVENTS, ['read', newest, oldest, limit, ''])
    const texts = new Set(answers.flatMap(({ reply }) => reply.map(String)))
    const events = [...texts].map((text) => JSON.parse(text) as FleetEvent)
    return events
      .map((event) => ({ ...event, at: new Date(event.at) }))
      .toSorted((a, b) => b.at.getTime() - a.at.getTime())
      .slice(0, limit)
  }

  /** Names this life of the process, as the others see it. */
  get id(): string {
    return this.#self ? idOf(this.#self, this.#life) : this.#life
  }

  #now(): Date {
    return new Date(this.#parts.clock().now())
  }

  #ask(script: Script, args: readonly (string | number)[]): Promise<Answer[]> {
    const masters = this.#parts.masters()
    if (masters.length > 0) return askMajority(masters, script, args)
    throw new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', 'the scheduler is not started')
  }

  async #answersTo(command: string): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (const { reply } of await this.#ask(COMMAND, ['read', command, '', '', '']))
      for (let i = 0; i < reply.length; i += 2) found.set(String(reply[i]), String(reply[i + 1]))
    return found
  }

  async #look(): Promise<void> {
    if (this.#parts.clock().monotonic() - this.#beatAt >= BEAT_MS) await this.#beat()
    const answers = await this.#ask(POLL, [this.#life, COMMAND_KEPT_MS])
    const commands = new Map<string, string>()
    for (const { reply } of answers)
      for (let i = 1; i < reply.length; i += 2) commands.set(String(reply[i]), String(reply[i + 1]))
    const news = JSON.stringify(answers.map(({ master, reply }) => [master, reply[0]]))
    if (news !== this.#news) {
      const pauses = await this.#pauses.read()
      this.#self?.pausesChanged(pauses)
      this.#news = news
    }
    await this.#carryOut(commands)
  }

  /** Carries out the commands that are for this instance, each once. */
  async #carryOut(commands: ReadonlyMap<string, string>): Promise<void> {
    for (const [id, text] of commands) {
      if (this.#answered.has(id)) continue
      const answer = this.#self?.command(JSON.parse(text) as Command)
      this.#answered.add(id)
      if (answer) await this.#ask(COMMAND, ['answer', id, this.id, answer, COMMAND_KEPT_MS])
    }
    for (const id of this.#answered) if (this.#answered.size > 1_000) this.#answered.delete(id)
  }

  async #beat(): Promise<void> {
    const self = this.#self
    if (!self) return
    const clock = this.#parts.clock()
    this.#beatAt = clock.monotonic()
    const { jobs, ...described } = self.describe()
    const facts = JSON.stringify({ ...described, instance: self.instance })
    // They may be thousands: they are written when they have changed.
    const told = this.#told === jobs ? '' : JSON.stringify(jobs)
    const answers = await this.#ask(BEAT, [this.id, facts, told, clock.now(), ALIVE_MS])
    this.#told = answers.some(({ reply }) => reply[0] === 1) ? undefined : jobs
    // Of several masters, the first that answers counts.
    for (const id of answers[0]?.reply.slice(1) ?? [])
      await this.tell({ at: this.#now(), instance: instanceOf(String(id)), kind: 'lost' })
  }
}

function idOf({ instance }: FleetSelf, life: string): string {
  return `${instance}/${life}`
}

function instanceOf(id: string): string {
  return id.slice(0, id.lastIndexOf('/'))
}
