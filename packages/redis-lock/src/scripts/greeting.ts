/** What an instance says of itself; `jobs` is empty where they have the digest that was given. */
export interface Told {
  readonly head: string
  readonly jobs: string
}

/** What tend.lua says of a shard. */
export interface Greeting {
  /** The fleet's time minus that of this Redis, in ms, where its clock was set and the fleet did not follow. */
  readonly ahead: number
  /** Another one when the server was restarted, or another one answers instead. */
  readonly id: string
  /** By the clock of this Redis, in ms. */
  readonly now: number
  /** What was written to it before this moment, it may have forgotten. */
  readonly born: number
  readonly instances: string[]
  /** What the instances that were asked about say of themselves. */
  readonly told: ReadonlyMap<string, Told>
  /** Runs whose lease is over, as far as they are listed. */
  readonly stale: readonly Open[]
  /** The others. */
  readonly running: readonly Open[]
}

/** An open run. */
export interface Open {
  readonly member: string
  /** When its lease is over, by the clock of Redis in ms; below 0: when it was given up. */
  readonly score: number
}

/** Reads `member, score, member, score…`. */
export function opens(listed: readonly string[]): Open[] {
  return listed.flatMap((member, i) => (i % 2 === 0 ? [{ member, score: Number(listed[i + 1]) }] : []))
}

/** Whether it is from before the birth of Redis: see `restored` in the scripts. */
export function isRestored({ score }: Open, born: number, lease: number): boolean {
  return score !== 0 && Math.abs(score) < born + lease
}

/** @param asked The instances that were asked about. */
export function greeting(reply: unknown[], asked: readonly string[]): Greeting {
  const [time, id, born, instances, stale, running, ahead, told] = reply
  const texts = (told ?? []) as string[]
  return {
    ahead: Number(ahead),
    id: String(id),
    now: Number(time),
    born: Number(born),
    instances: instances as string[],
    told: new Map(asked.map((of, i) => [of, { head: texts[2 * i] ?? '', jobs: texts[2 * i + 1] ?? '' }])),
    stale: opens(stale as string[]),
    running: opens(running as string[]),
  }
}
