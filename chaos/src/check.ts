import type { JobConfig, Line } from './worker-config.ts'
import type { Deed } from './world.ts'

/** What the logs of a scenario say. */
export interface Report {
  /** Ticks that were due while the fleet was up. */
  ticks: number
  ran: number
  /** Ticks without a run whose reason was reported, by reason. */
  named: Record<string, number>
  /** Surplus starts of a tick with the same start number; with `record`, any second start. */
  duplicates: number
  /** Work that was done after another run of the same job had started. */
  overlaps: number
  /** Ticks without a run and without a word, and runs that began and of which nothing more was heard. */
  silent: number
  regressions: number
  crashes: number
  /** Of the starts, in ms. */
  late: { p50: number; p99: number; max: number }
  /** How late timers of an idle process were meanwhile, in ms. */
  machine: { p50: number; p99: number; busy: boolean }
  /** Largest growth of a process from its fifth second on, in MB. */
  growth: number
  /** From each death or stall to the next word about the tick that was running, in ms. */
  recovery: number[]
  details: string[]
}

export interface Window {
  readonly from: number
  readonly to: number
  /** When the last log line was written. */
  readonly end: number
  readonly rerun: boolean
  readonly machine: Report['machine']
}

export function check(
  lines: Line[],
  deeds: readonly Deed[],
  jobs: readonly JobConfig[],
  window: Window,
): Report {
  const starts = lines.filter(({ e }) => e === 'start')
  const byTick = group(starts, (line) => line.tick as string)
  const details: string[] = []
  const tell = (text: string) => {
    if (details.length < 12) details.push(text)
  }

  let duplicates = 0
  for (const [tick, all] of byTick) {
    const distinct = new Set(all.map(({ start }) => (window.rerun ? start : 1))).size
    if (all.length > distinct) {
      duplicates += all.length - distinct
      tell(`duplicate ${tick}: ${all.map(({ w, start, t }) => `${w}#${start}@${t}`).join(' ')}`)
    }
  }

  let overlaps = 0
  let regressions = 0
  for (const [job, all] of group(starts, (line) => line.job as string)) {
    const activity = lines.filter(({ e, job: of }) => of === job && (e === 'write' || e === 'end'))
    for (const [i, run] of all.entries()) {
      const next = all[i + 1]
      if (!next) continue
      if ((next.fence ?? 0) <= (run.fence ?? -1)) {
        regressions++
        tell(`fence of ${next.tick} on ${next.w} is ${next.fence}, after ${run.fence}`)
      }
      const last = activity.findLast(
        (line) => line.w === run.w && line.tick === run.tick && line.start === run.start,
      )
      if (last && last.t > next.t) {
        overlaps++
        tell(
          `overlap ${run.tick} on ${run.w} worked at ${last.t}, ${next.tick} on ${next.w} began at ${next.t}`,
        )
      }
    }
  }

  // When nobody is alive, nothing is due.
  const lives = lines.flatMap(({ e, w, t }) => {
    if (e !== 'ready') return []
    const end = deeds.find(({ what, worker }) => worker === w && /^(exit|kill|stop)/.test(what))
    return [{ from: t, to: end?.t ?? Infinity }]
  })
  const words = group(
    lines.filter(({ e, name }) => e === 'settled' || name === 'tick-lost'),
    (line) => line.tick as string,
  )
  const named: Record<string, number> = {}
  let silent = 0
  let ticks = 0
  let ran = 0
  for (const { name: job, seconds } of jobs) {
    const period = seconds * 1000
    for (let at = Math.ceil(window.from / period) * period; at <= window.to; at += period) {
      if (!lives.some(({ from, to }) => from < at - 300 && to > at + 500)) continue
      ticks++
      const tick = `${job}@${new Date(at).toISOString()}`
      if (byTick.has(tick)) {
        ran++
        continue
      }
      const word = words.get(tick)?.[0]
      if (word) {
        const reason = word.name ?? word.reason ?? (word.outcome as string)
        named[reason] = (named[reason] ?? 0) + 1
      } else {
        silent++
        const said = lines
          .filter((line) => line.tick === tick)
          .map(({ w, e, reason }) => `${w}:${e}:${reason}`)
        tell(`silent ${tick}: ${said.join(' ') || 'nobody said anything'}`)
      }
    }
  }
  for (const run of starts) {
    if (run.t > window.end - 6500) continue
    const same = (line: Line) => line.tick === run.tick
    const over = lines.some(
      (line) =>
        same(line) &&
        ((line.w === run.w && (line.e === 'end' || line.e === 'settled')) ||
          line.name === 'tick-lost' ||
          (line.e === 'start' && (line.start ?? 1) > (run.start ?? 1))),
    )
    if (over) continue
    silent++
    tell(`of ${run.tick}, begun by ${run.w}, nothing more was heard`)
  }

  const crashed = lines.filter(({ e }) => e === 'crash')
  for (const { w, text } of crashed) tell(`${w} ${text}`)
  const lag = starts
    .filter(({ start, at = 0 }) => start === 1 && at >= window.from && at <= window.to)
    .map(({ t, at }) => t - (at as number))
    .sort((a, b) => a - b)
  return {
    ticks,
    ran,
    named,
    duplicates,
    overlaps,
    silent,
    regressions,
    crashes: crashed.length,
    late: { p50: quantile(lag, 0.5), p99: quantile(lag, 0.99), max: lag.at(-1) ?? 0 },
    machine: window.machine,
    growth: growth(lines),
    recovery: recoveries(lines, deeds),
    details,
  }
}

/** After a kill, stall or cut: how long until the tick that was under way was run again or told lost. */
function recoveries(lines: Line[], deeds: readonly Deed[]): number[] {
  const found: number[] = []
  for (const { t, what, worker } of deeds) {
    if (!/^(kill|stall|cut|exit SIGKILL)/.test(what) || !worker) continue
    for (const run of lines.filter(({ e, w, t: began }) => e === 'start' && w === worker && began <= t)) {
      const mine = (line: Line) => line.tick === run.tick
      if (lines.some((line) => mine(line) && line.w === worker && line.e === 'settled' && line.t <= t))
        continue
      const word = lines.find(
        (line) =>
          mine(line) &&
          line.t > t &&
          (line.name === 'tick-lost' || (line.e === 'start' && (line.start ?? 1) > 1)),
      )
      if (word) found.push(word.t - t)
    }
  }
  return found
}

function growth(lines: Line[]): number {
  let most = 0
  for (const [, all] of group(
    lines.filter(({ e }) => e === 'rss'),
    ({ w }) => w,
  )) {
    const later = all.slice(5).map(({ mb = 0 }) => mb)
    if (later.length > 1) most = Math.max(most, Math.max(...later) - (later[0] as number))
  }
  return Math.round(most * 10) / 10
}

function quantile(sorted: number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
}

function group<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const found = groups.get(key(item))
    if (found) found.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}
