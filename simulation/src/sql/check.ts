import { clock, type Facts, group, named, untroubled } from '../facts.ts'
import type { Report } from '../promises.ts'
import { BEGIN } from '../world.ts'
import { HEARTBEAT } from './fleet.ts'

/** The promises of docs/durability.md that fleets over SQL make besides. */
export function checkSql(facts: Facts, report: Report): void {
  deathsOf(facts, report)
  wordsOf(facts, report)
  refusalsOf(facts, report)
  pausesOf(facts, report)
  endsOf(facts, report)
}

function deathsOf(facts: Facts, report: Report): void {
  const limit = facts.lease + 3 * HEARTBEAT
  const ends = new Set(
    [...facts.all('settled'), ...facts.all('finish')].map(
      ({ who, tick, start }) => `${who} ${tick} ${start}`,
    ),
  )
  const byTick = group([...facts.all('start'), ...facts.all('lost')], ({ tick }) => tick)
  for (const { who, t } of facts.all('life').filter(({ event }) => event === 'kill')) {
    const there = [...facts.lives].some(
      ([other, { ready }]) =>
        other !== who && ready < t - facts.lease && untroubled(facts, other, t, t + limit),
    )
    if (!there || facts.forgot(t - 1000, t + limit)) continue
    for (const start of facts.all('start')) {
      if (start.who !== who || start.t > t || ends.has(`${who} ${start.tick} ${start.start}`)) continue
      const found = byTick
        .get(start.tick)
        ?.some((fact) => fact.t >= start.t && fact.t <= t + limit && fact !== start)
      if (!found)
        report('in time', `of ${start.tick} on ${named(start)}, nothing was said until ${clock(t + limit)}`)
    }
  }
}

function wordsOf(facts: Facts, report: Report): void {
  const lost = group(facts.all('lost'), ({ tick }) => tick)
  for (const start of facts.all('start')) {
    const word = lost.get(start.tick)?.find((word) => word.start === start.start && word.t < start.t)
    if (word && !facts.forgot(start.at - BEGIN, start.t))
      report(
        'never later',
        `${start.tick} on ${named(start)}, but ${word.who} reported it at ${clock(word.t)}`,
      )
  }
}

/** What an instance has refused to run, it withdraws: nobody reports it as a run that died. */
function refusalsOf(facts: Facts, report: Report): void {
  const refused = group(
    facts.all('settled').filter(({ outcome }) => outcome === 'skipped' || outcome === 'missed'),
    ({ who, tick }) => `${who} ${tick}`,
  )
  const begun = new Set(facts.all('start').map(({ who, tick }) => `${who} ${tick}`))
  const reported = new Set<string>()
  for (const { tick, t, who, by = '', start } of facts.all('lost')) {
    // A rerun that could not begin on one instance is taken over by another one.
    if (reported.has(tick)) continue
    reported.add(tick)
    const refusal = refused.get(`${by} ${tick}`)?.[0]
    // One that has started since does not know that the others were cut off.
    if ((facts.lives.get(who)?.ready ?? Infinity) > (refusal?.t ?? 0) - facts.lease) continue
    if (!refusal || start !== 1 || begun.has(`${by} ${tick}`) || refusal.t > t) continue
    if (facts.forgot(refusal.t, t) || !facts.served(by, refusal.t - facts.lease, t)) continue
    report(
      'never began',
      `${who} reported ${tick} at ${clock(t)}, but ${by} had refused it at ${clock(refusal.t)}`,
    )
  }
}

function pausesOf(facts: Facts, report: Report): void {
  const starts = group(facts.all('start'), ({ job }) => job)
  const resumed = group(facts.all('resume'), ({ job }) => job)
  for (const { who, job, t } of facts.all('pause')) {
    const end = resumed.get(job)?.find((resume) => resume.t > t)?.t ?? Infinity
    if (!untroubled(facts, who, t - 1000, t + 1000)) continue
    for (const start of starts.get(job) ?? []) {
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

function endsOf(facts: Facts, report: Report): void {
  const { servers, plan } = facts.played
  const claims = servers[0]?.claims
  for (const { tick, at, who, outcome, t } of facts.all('settled')) {
    const alive = (facts.lives.get(who)?.end ?? 0) > plan.end
    if (
      !alive ||
      outcome !== 'succeeded' ||
      t > plan.end - 5000 ||
      facts.forgot(Math.min(at - BEGIN, t), plan.end)
    )
      continue
    const state = claims?.get(tick)
    if (state === undefined || state === 'run')
      report('end', `${who} said at ${clock(t)} that ${tick} succeeded, but its claim is ${state ?? 'gone'}`)
  }
}
