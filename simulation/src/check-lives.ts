import { clock, type Facts, group, named, untroubled } from './facts.ts'
import type { Report } from './promises.ts'
import { HEARTBEAT } from './sql/fleet.ts'
import { BEGIN } from './world.ts'

/** Whoever died in a run is missed in time. */
export function deathsOf(facts: Facts, report: Report): void {
  const limit = facts.lease + 3 * HEARTBEAT + (facts.played.options.clock === 'own' ? 0 : 1000)
  const ends = new Set(
    [...facts.all('settled'), ...facts.all('finish')].map(
      ({ who, tick, start }) => `${who} ${tick} ${start}`,
    ),
  )
  const byTick = group([...facts.all('start'), ...facts.all('lost')], ({ tick }) => tick)
  for (const { who, t } of facts.all('life').filter(({ event }) => event === 'kill')) {
    const there = [...facts.lives].filter(
      ([other, { ready }]) =>
        other !== who && ready < t - facts.lease && untroubled(facts, other, t, t + limit),
    )
    if (there.length === 0 || facts.forgot(t - 1000, t + limit)) continue
    for (const start of facts.all('start')) {
      if (start.who !== who || start.t > t || ends.has(`${who} ${start.tick} ${start.start}`)) continue
      if (!there.some(([other]) => facts.has(other, start.job))) continue
      const found = byTick
        .get(start.tick)
        ?.some((fact) => fact.t >= start.t && fact.t <= t + limit && fact !== start)
      // A rerun waits for the run of another tick that came before it.
      const busy = facts
        .all('start')
        .some((other) => other.job === start.job && other.t > t && other.t <= t + limit)
      if (!found && !busy)
        report('in time', `of ${start.tick} on ${named(start)}, nothing was said until ${clock(t + limit)}`)
    }
  }
}

/** A pause holds where it was made, and where a fleet shares pauses on all instances. */
export function pausesOf(facts: Facts, report: Report): void {
  const starts = group(facts.all('start'), ({ job }) => job)
  const resumed = group(facts.all('resume'), ({ job }) => job)
  for (const { who, job, t } of facts.all('pause')) {
    const end = resumed.get(job)?.find((resume) => resume.t > t)?.t ?? Infinity
    if (!untroubled(facts, who, t - 1000, t + 1000)) continue
    for (const start of starts.get(job) ?? []) {
      if (who !== start.who && facts.played.options.clock === 'servers') continue
      const due = who === start.who ? t + 100 : t + 2 * HEARTBEAT + 500
      if (
        Math.min(start.at - BEGIN, start.t) < due ||
        start.t >= end ||
        start.cause !== 'schedule' ||
        facts.forgot(t - 1000, start.t)
      )
        continue
      if (untroubled(facts, start.who, t, start.t))
        report('pause', `${start.tick} on ${named(start)}, but ${job} was paused on ${who} at ${clock(t)}`)
    }
  }
}

/** What nobody disturbs keeps its lease. */
export function leasesOf(facts: Facts, report: Report): void {
  const begun = group(facts.all('start'), ({ who, tick, start }) => `${who} ${tick} ${start}`)
  for (const { who, tick, start, outcome, t } of facts.all('settled')) {
    const from = begun.get(`${who} ${tick} ${start}`)?.[0]?.t
    if (outcome !== 'lease-lost' || from === undefined) continue
    if (untroubled(facts, who, from - facts.lease, t))
      report('kept', `${tick} on ${who}, begun at ${clock(from)}, lost its lease at ${clock(t)}`)
  }
}

/** How late a tick may start: its job has nothing else to do, and all instances have the time of the servers. */
export function latenessOf(facts: Facts, report: Report): void {
  const { plan, options } = facts.played
  const calm = plan.calm + 2 * facts.lease + 10_000
  const plain = new Set(
    options.jobs
      .filter(({ seconds, takes, overlap }) => 2 * takes <= seconds * 1000 && overlap !== 'queue')
      .map(({ name }) => name),
  )
  for (const start of facts.all('start')) {
    const late = BEGIN + start.t - start.at
    if (start.at - BEGIN < calm || start.cause !== 'schedule' || !plain.has(start.job)) continue
    if (late > 1000) report('late', `${start.tick} on ${named(start)}, ${Math.round(late)} ms late`)
  }
}

/** What succeeded is on record in most of the servers, but for what others have taken over meanwhile. */
export function recordsOf(facts: Facts, report: Report): void {
  const { servers, plan } = facts.played
  const over = new Set([
    ...facts.all('lost').map(({ tick }) => tick),
    ...facts
      .all('start')
      .filter(({ start }) => start > 1)
      .map(({ tick }) => tick),
  ])
  const quorum = Math.floor(servers.length / 2) + 1
  const all = servers.map(({ claims }) => claims)
  for (const { tick, at, who, outcome, t } of facts.all('settled')) {
    if (outcome !== 'succeeded' || over.has(tick) || t > plan.end - 5000) continue
    if ((facts.lives.get(who)?.end ?? 0) < plan.end || facts.forgotAny(Math.min(at - BEGIN, t), plan.end))
      continue
    const states = all.map((claims) => claims?.get(tick))
    if (states.filter((state) => state === 'done').length < quorum)
      report(
        'end',
        `${who} said at ${clock(t)} that ${tick} succeeded, but its records are ${states.join(', ')}`,
      )
  }
}

/** Where no lease keeps runs of a job apart, one instance that nothing disturbs is enough. */
export function helpOf(facts: Facts, report: Report): void {
  // Where the answer to a claim is lost, the tick is taken until the claim is withdrawn: its instance says so.
  const unsure = facts.all('settled').filter(({ reason }) => reason === 'claim-unavailable')
  const known = new Set([...facts.all('start'), ...facts.all('lost'), ...unsure].map(({ tick }) => tick))
  const paused = group(facts.all('pause'), ({ job }) => job)
  const allowed = new Set(
    facts.played.options.jobs.filter(({ overlap }) => overlap === 'allow').map(({ name }) => name),
  )
  for (const { job, tick, at } of facts.ticks) {
    if (!allowed.has(job) || known.has(tick) || paused.has(job)) continue
    const there = [...facts.lives].find(
      ([who, { ready }]) =>
        ready < at - facts.lease && facts.has(who, job) && untroubled(facts, who, at - 500, at + 1500),
    )
    if (there) report('helped', `${tick} did not start, but ${there[0]} was there`)
  }
}
