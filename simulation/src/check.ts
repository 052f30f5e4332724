import { deathsOf, helpOf, latenessOf, leasesOf, pausesOf, recordsOf } from './check-lives.ts'
import { clock, Facts, group, named, type Of, untroubled } from './facts.ts'
import type { PROMISES, Report, Violation } from './promises.ts'
import type { Played } from './simulate.ts'
import { checkSql, refusalsOf } from './sql/check.ts'
import { BEGIN } from './world.ts'

/** The promises that this history breaks. */
export function check(played: Played): Violation[] {
  const found: Violation[] = []
  const report = (promise: keyof typeof PROMISES, text: string) => found.push({ promise, text })
  const facts = new Facts(played)
  startsOf(facts, report)
  jobsOf(facts, report)
  ticksOf(facts, report)
  runsOf(facts, report)
  livesOf(facts, report)
  deathsOf(facts, report)
  pausesOf(facts, report)
  leasesOf(facts, report)
  if (played.options.clock === 'own') checkSql(facts, report)
  else {
    latenessOf(facts, report)
    helpOf(facts, report)
    refusalsOf(facts, report)
    recordsOf(facts, report)
  }
  for (const { t, who, text } of facts.all('crash')) report('crash', `${clock(t)} ${who}: ${text}`)
  for (const { name, keys } of played.servers) {
    const most = 200 + 3 * played.options.jobs.length + facts.ticks.length
    if (keys > most) report('memory', `${name} holds ${keys} keys, at most ${most} are needed`)
  }
  return found
}

function startsOf(facts: Facts, report: Report): void {
  const policies = new Map(facts.played.options.jobs.map((job) => [job.name, job.onAbandoned]))
  for (const start of facts.all('start')) {
    if (facts.isEarly(start)) report('early', `${start.tick} on ${named(start)}`)
  }
  for (const [tick, starts] of group(facts.all('start'), ({ tick }) => tick)) {
    const [first, last] = [starts[0] as Of<'start'>, starts.at(-1) as Of<'start'>]
    if (first === last || facts.forgot(first.t, last.t)) continue
    for (const same of group(starts, ({ start }) => String(start)).values()) {
      if (same.length > 1)
        report('first start', `${tick} started as #${same[0]?.start} by ${same.map(named).join(' and ')}`)
    }
    if (policies.get(first.job) === 'record')
      report('record', `${tick} started by ${starts.map(named).join(' and ')}`)
  }
}

function jobsOf(facts: Facts, report: Report): void {
  const works = group(
    [...facts.all('work'), ...facts.all('finish')],
    ({ who, tick, start }) => `${who} ${tick} ${start}`,
  )
  const allowed = new Set(
    facts.played.options.jobs.filter(({ overlap }) => overlap === 'allow').map(({ name }) => name),
  )
  const deaf = new Set(
    facts.played.options.jobs.filter(({ heeds }) => heeds === 'signal').map(({ name }) => name),
  )
  for (const [job, starts] of group(facts.all('start'), ({ job }) => job)) {
    for (let i = 1; i < starts.length; i++) {
      const [one, next] = [starts[i - 1] as Of<'start'>, starts[i] as Of<'start'>]
      const last = works.get(`${one.who} ${one.tick} ${one.start}`)?.at(-1)
      if (facts.forgot(one.t, Math.max(next.t, last?.t ?? 0))) continue
      // Claims that do not exclude each other may be answered in another order than they were given.
      if (allowed.has(job)) continue
      if ((next.fence ?? 0) <= (one.fence ?? 0))
        report(
          'fence',
          `${next.tick} on ${named(next)} has ${next.fence} after ${one.fence} of ${one.tick} on ${named(one)}`,
        )
      // A process that goes on after a stall may work before it can be told: who only hears the signal needs the fence.
      const held = (from: number, to: number) =>
        facts.stalls(one.who).some((stall) => stall.from < to && stall.to > from)
      if (last && last.t > next.t && !(deaf.has(job) && held(one.t, last.t)))
        report(
          'overlap',
          `${one.tick} on ${named(one)} worked at ${clock(last.t)}, but ${next.tick} had started on ${named(next)}`,
        )
    }
  }
}

function ticksOf(facts: Facts, report: Report): void {
  const started = new Set(facts.all('start').map(({ tick }) => tick))
  const words = new Set([...facts.all('settled'), ...facts.all('lost')].map(({ tick }) => tick))
  const spans = facts.all('settled').filter(({ until }) => until !== undefined)
  const succeeded = new Set(
    facts
      .all('settled')
      .filter(({ outcome }) => outcome === 'succeeded')
      .map(({ tick }) => tick),
  )
  const calm = facts.played.plan.calm + 2 * facts.lease + 10_000
  const long = new Set(
    facts.played.options.jobs
      .filter(({ seconds, takes }) => 2 * takes > seconds * 1000)
      .map(({ name }) => name),
  )
  for (const { job, tick, at } of facts.ticks) {
    const up = [...facts.lives].some(
      ([who, { ready, end }]) =>
        facts.has(who, job) &&
        ready < at - 1000 &&
        end > at + 2 * facts.lease &&
        !facts.stalls(who).some(({ from, to }) => from < at + 2 * facts.lease && to > at - 1000),
    )
    if (at > calm && up && !long.has(job) && !succeeded.has(tick)) {
      const said = [...facts.all('settled')]
        .filter((fact) => fact.tick === tick)
        .map(({ who, outcome, reason, error }) => `${who}: ${outcome} ${reason ?? ''} ${error ?? ''}`)
      report('back', `${tick} did not succeed: ${said.join('; ') || 'nothing was said'}`)
    }
    if (started.has(tick) || words.has(tick)) continue
    if (
      spans.some((span) => span.job === job && span.at <= BEGIN + at && (span.until as number) >= BEGIN + at)
    )
      continue
    // The first instance may begin with a clock that is ahead.
    if (up && at > 5000) report('silent', `${tick} is no run and no event`)
  }
}

function runsOf(facts: Facts, report: Report): void {
  const { plan } = facts.played
  const settled = group(facts.all('settled'), ({ who, tick, start }) => `${who} ${tick} ${start}`)
  const lost = group(facts.all('lost'), ({ tick }) => tick)
  const works = new Set(facts.all('finish').map(({ who, tick, start }) => `${who} ${tick} ${start}`))
  const byTick = group(facts.all('start'), ({ tick }) => tick)
  const policies = new Map(facts.played.options.jobs.map((job) => [job.name, job.onAbandoned]))
  for (const start of facts.all('start')) {
    const forgot = facts.forgotAny(start.t - 2000, start.t + 20_000)
    const end: Of<'settled'> | undefined = settled.get(`${start.who} ${start.tick} ${start.start}`)?.[0]
    const after = byTick.get(start.tick)?.some((other) => other.start > start.start)
    const word = lost.get(start.tick)?.find((lost) => (lost.start ?? Infinity) >= start.start)
    // Its end may have been written by an instance that died before it could say so.
    const worked = works.has(`${start.who} ${start.tick} ${start.start}`)
    if (!end && !worked && !after && !word && start.t < plan.end - 15_000 && !forgot)
      report('unfinished', `of ${start.tick}, begun by ${named(start)}, nothing more was said`)
    const died = facts.killed.has(start.who) && !end && !worked
    const given = died || end?.outcome === 'lease-lost'
    if (
      given &&
      policies.get(start.job) === 'rerun' &&
      !after &&
      !word &&
      start.t < plan.calm - 5000 &&
      !forgot
    ) {
      report(
        'again',
        `${start.tick}, begun by ${named(start)}, ${died ? 'died with its instance' : 'lost its lease'}, but nobody ran it again`,
      )
    }
    if (end?.outcome === 'succeeded' && (after || word)) {
      const again =
        byTick.get(start.tick)?.find((other) => other.start > start.start)?.t ?? (word?.t as number)
      if (untroubled(facts, start.who, Math.min(end.t, again), again))
        report(
          'false word',
          `${start.tick} succeeded on ${start.who} at ${clock(end.t)}, but was ${after ? 'run again' : 'reported lost'} at ${clock(again)}`,
        )
    }
  }
}

function livesOf(facts: Facts, report: Report): void {
  const stopped = new Map(
    facts
      .all('life')
      .filter(({ event }) => event === 'stopped')
      .map(({ who, t }) => [who, t]),
  )
  const dead = new Set(
    facts
      .all('life')
      .filter(({ event }) => event === 'kill')
      .map(({ who }) => who),
  )
  for (const { who, t } of facts.all('life').filter(({ event }) => event === 'stopping')) {
    const stalled = facts.stalls(who).reduce((sum, { from, to }) => (to > t ? sum + to - from : sum), 0)
    // Grace, abort and two seconds; and what is sent last takes its time.
    const deadline = t + 8050 + stalled
    const end = stopped.get(who) ?? Infinity
    if (end > deadline && deadline < facts.played.plan.end && !dead.has(who))
      report(
        'stop',
        `${who} was asked to stop at ${clock(t)} and ${end === Infinity ? 'did not' : `did at ${clock(end)}`}`,
      )
  }
}
