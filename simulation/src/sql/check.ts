import { clock, type Facts, group, named } from '../facts.ts'
import type { Report } from '../promises.ts'
import { BEGIN } from '../world.ts'

/** The promises of docs/durability.md that fleets over SQL make besides. */
export function checkSql(facts: Facts, report: Report): void {
  wordsOf(facts, report)
  refusalsOf(facts, report)
  endsOf(facts, report)
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
export function refusalsOf(facts: Facts, report: Report): void {
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
    if (facts.forgotAny(refusal.t, t) || !facts.served(by, refusal.t - facts.lease, t)) continue
    report(
      'never began',
      `${who} reported ${tick} at ${clock(t)}, but ${by} had refused it at ${clock(refusal.t)}`,
    )
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
