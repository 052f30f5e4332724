import type { Fact } from './history.ts'
import type { Played } from './simulate.ts'
import { BEGIN } from './world.ts'

export type Of<What extends Fact['what']> = Fact & { readonly what: What }

export function clock(t: number): string {
  return `${(t / 1000).toFixed(3)} s`
}

/** A history, by what the checks ask for. */
export class Facts {
  readonly played: Played
  readonly #by = new Map<string, Fact[]>()
  /** Of each instance: from when to when it was there, and when it had no processor. */
  readonly lives: Map<string, { ready: number; end: number }> = new Map()
  readonly ticks: { job: string; tick: string; at: number }[] = []
  readonly lease: number
  readonly killed: ReadonlySet<string>
  readonly #without: ReadonlyMap<string, string>

  constructor(played: Played) {
    this.played = played
    for (const fact of played.history) {
      const list = this.#by.get(fact.what)
      if (list) list.push(fact)
      else this.#by.set(fact.what, [fact])
    }
    for (const { who, t, event } of this.all('life')) {
      if (event === 'ready') this.lives.set(who, { ready: t, end: Infinity })
      const life = this.lives.get(who)
      if (life && (event === 'kill' || event === 'stopping')) life.end = Math.min(life.end, t)
    }
    for (const { name, seconds, takes } of played.options.jobs) {
      const period = seconds * 1000
      // An instance whose own clock is behind comes later to a tick.
      const behind = played.options.clock === 'own' ? 4500 : 0
      for (let at = period; at <= played.plan.end - takes - 1500 - behind; at += period) {
        this.ticks.push({ job: name, tick: `${name}@${new Date(BEGIN + at).toISOString()}`, at })
      }
    }
    this.lease = 3000
    this.#without = new Map(
      played.plan.faults.flatMap((fault) =>
        fault.do === 'boot' && fault.without ? [[fault.who, fault.without] as const] : [],
      ),
    )
    this.killed = new Set(this.all('life').flatMap(({ who, event }) => (event === 'kill' ? [who] : [])))
  }

  all<What extends Fact['what']>(what: What): Of<What>[] {
    return (this.#by.get(what) ?? []) as Of<What>[]
  }

  /** Whether what was known at the first instant may have been forgotten before the second. Answers take their time. */
  forgot(from: number, to: number): boolean {
    return this.played.servers.some(({ lostAt }) => lostAt?.some((t) => t >= from - 1000 && t <= to))
  }

  /** The same, of all that servers have lost, also where they stay right about what starts. */
  forgotAny(from: number, to: number): boolean {
    return (
      this.forgot(from, to) ||
      this.played.servers.some(({ forgotAt }) => forgotAt?.some((t) => t >= from - 1000 && t <= to))
    )
  }

  /** Whether the version of an instance has this job. */
  has(who: string, job: string): boolean {
    return this.#without.get(who.replace(/'+$/, '')) !== job
  }

  /** How far ahead of true time a server has been in the last three seconds, in ms. */
  #ahead(t: number): number {
    let [ahead, most] = [0, 0]
    for (const fault of this.played.plan.faults) {
      if (fault.do !== 'skew' || fault.at > t) continue
      if (fault.at > t - 3000) most = Math.max(most, ahead)
      ahead += fault.ms
    }
    return Math.max(most, ahead)
  }

  isEarly({ who, t, at, clock, start }: Of<'start'>): boolean {
    // Redis gives a tick up to 50 ms before its instant.
    if (this.played.options.clock === 'servers') return BEGIN + t < at - 60 - this.#ahead(t)
    const set = this.played.plan.faults.some(
      (fault) =>
        ((fault.do === 'step' && fault.who === who) || fault.do === 'set-clock') &&
        fault.at <= t &&
        fault.at > t - 3000,
    )
    return !set && start === 1 && clock < at
  }

  /** Whether an instance was there, had its processor and its connections, whatever became of what all share. */
  served(who: string, from: number, to: number): boolean {
    if ((this.lives.get(who)?.end ?? 0) < to) return false
    return !this.played.plan.faults.some((fault) => {
      if (!('who' in fault) || fault.who !== who || fault.do === 'step') return false
      return fault.at <= to && fault.at + ('ms' in fault ? fault.ms : 0) + 1000 >= from
    })
  }

  /** When an instance had no processor. */
  stalls(who: string): { from: number; to: number }[] {
    return this.played.plan.faults.flatMap((fault) =>
      (fault.do === 'stall' || fault.do === 'sleep' || fault.do === 'hold') && fault.who === who
        ? [{ from: fault.at, to: fault.at + fault.ms }]
        : [],
    )
  }
}

export function group<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const list = groups.get(key(item))
    if (list) list.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}

export const named = (start: Of<'start'>) => `${start.who} #${start.start} at ${clock(start.t)}`

/** Whether an instance lived and reached all servers from the end of its run until long enough after it. */
export function untroubled({ lives, played, lease }: Facts, who: string, from: number, to: number): boolean {
  if ((lives.get(who)?.end ?? 0) < to) return false
  return !played.plan.faults.some((fault) => {
    const ms = 'ms' in fault && fault.do !== 'step' ? fault.ms : 0
    // What is between others and a server.
    if ((fault.do === 'cut' || fault.do === 'reset') && fault.who !== who) return false
    if (fault.at > to || fault.at + ms + 1000 < from - lease) return false
    return (
      ('who' in fault && fault.who === who && fault.do !== 'step') ||
      ('server' in fault && fault.do !== 'save') ||
      fault.do === 'slow'
    )
  })
}
