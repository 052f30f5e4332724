import type { Scheduler } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { instance, Mains, register } from './fleet.ts'
import { OFTEN, SELDOM, STEADY } from './jobs.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NAMES = ['shop-1', 'shop-2', 'shop-3'] as const

/** The past of a fleet, played by the real scheduler on a clock that takes no time, into a file. */
export async function playPast(file: string, present: number): Promise<void> {
  const clock = new VirtualClock(Math.min(present - 28 * DAY_MS, lastChange(present) - 2 * DAY_MS))
  await playMonths(clock, file, present)
  await new Week(clock, file, present).play()
}

/** One instance, and jobs of once a day. */
async function playMonths(clock: VirtualClock, file: string, present: number): Promise<void> {
  const world = { clock, present }
  const alone = instance({ file, name: 'shop-1', version: '4.0.2', world, past: true })
  register(alone, SELDOM, world)
  await clock.until(alone.start())
  await clock.advanceTo(new Date(present - 7 * DAY_MS - HOUR_MS))
  await clock.until(alone.stop())
}

/** The last week: three instances, one of which dies; two releases; what people did. */
class Week {
  readonly #clock: VirtualClock
  readonly #file: string
  readonly #present: number
  readonly #members = new Map<string, { scheduler: Scheduler; mains: Mains }>()

  constructor(clock: VirtualClock, file: string, present: number) {
    this.#clock = clock
    this.#file = file
    this.#present = present
  }

  async play(): Promise<void> {
    for (const name of NAMES) await this.#boot(name, '4.1.0')
    for (const [at, happens] of this.#events()) {
      await this.#clock.advanceTo(new Date(at))
      await happens()
    }
    await this.#clock.advanceTo(new Date(this.#present))
    for (const name of NAMES) await this.#shut(name)
  }

  /** What happens, in the order of time. */
  #events(): (readonly [at: number, happens: () => unknown])[] {
    const before = (hours: number) => this.#present - hours * HOUR_MS
    const sunday = lastSunday(this.#present)
    const do_ = <T>(what: (scheduler: Scheduler) => Promise<T>) => this.#clock.until(what(this.#any()))
    const events: [number, () => unknown][] = [
      [evenHour(before(66)) + 15 * 60_000, () => this.#kill('shop-2')],
      [evenHour(before(65)) + 55 * 60_000, () => this.#boot('shop-2', '4.1.0')],
      [
        sunday - 5 * HOUR_MS,
        () =>
          do_((it) =>
            it.pause('reconcile-ledger', {
              for: '16h',
              by: 'ann',
              reason: 'the bank is closed for maintenance',
            }),
          ),
      ],
      [
        before(50),
        () => do_((it) => it.run('newsletter', undefined, { by: 'mei', reason: 'the link in it was wrong' })),
      ],
      [
        before(21),
        () => do_((it) => it.pause('stock-levels', { by: 'mei', reason: 'the supplier moves its API' })),
      ],
      [before(3.2), () => do_((it) => it.run('sync-crm', undefined, { by: 'ann', reason: 'is it back?' }))],
      [
        before(1),
        () => {
          for (const { scheduler } of this.#members.values()) register(scheduler, STEADY, this.#world)
        },
      ],
    ]
    for (const [index, name] of NAMES.entries()) {
      events.push([before(26 - index * 0.1), () => this.#release(name)])
    }
    return events.toSorted(([a], [b]) => a - b)
  }

  get #world() {
    return { clock: this.#clock, present: this.#present }
  }

  #any(): Scheduler {
    const [first] = this.#members.values()
    if (!first) throw new Error('no instance is there')
    return first.scheduler
  }

  async #boot(name: string, version: string): Promise<void> {
    const mains = new Mains(this.#clock)
    const world = { clock: mains, present: this.#present }
    const scheduler = instance({ file: this.#file, name, version, world, past: true })
    register(scheduler, { ...SELDOM, ...OFTEN }, world)
    await this.#clock.until(scheduler.start())
    this.#members.set(name, { scheduler, mains })
  }

  async #shut(name: string): Promise<void> {
    const member = this.#members.get(name)
    this.#members.delete(name)
    if (member) await this.#clock.until(member.scheduler.stop())
  }

  async #release(name: string): Promise<void> {
    await this.#shut(name)
    await this.#boot(name, '4.2.0')
  }

  #kill(name: string): void {
    this.#members.get(name)?.mains.off()
    this.#members.delete(name)
  }
}

/** The last change of the clocks in Berlin before an instant, to the hour. */
function lastChange(before: number): number {
  const format = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', timeZoneName: 'longOffset' })
  const offset = (at: number) => format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value
  let at = before
  while (offset(at) === offset(at - DAY_MS)) at -= DAY_MS
  return at
}

/** 03:00 of the last Sunday in Berlin, in winter. */
function lastSunday(before: number): number {
  const midnight = before - (before % DAY_MS)
  const days = new Date(midnight).getUTCDay() || 7
  return midnight - days * DAY_MS + 2 * HOUR_MS
}

const evenHour = (at: number) => at - (at % (2 * HOUR_MS))
