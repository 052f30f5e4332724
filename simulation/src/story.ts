import { clock } from './facts.ts'
import type { Fact } from './history.ts'
import type { Violation } from './promises.ts'
import type { Played } from './simulate.ts'

/** What happened, in sentences: the faults, the lives of the instances, and what concerns the job of a violation. */
export function story({ history, plan }: Played, violation?: Violation): string {
  const ticks = new Set(violation?.text.match(/[\w-]+@\d{4}-[\w:.-]+Z/g))
  const job = [...ticks][0]?.split('@')[0]
  const times = history.flatMap((fact) => ('tick' in fact && ticks.has(fact.tick) ? [fact.t] : []))
  const [from, to] = [Math.min(...times) - 1500, Math.max(...times) + 1500]
  const lines = history.flatMap((fact) => {
    if (
      violation &&
      'job' in fact &&
      (fact.job !== job || fact.what === 'work' || fact.t < from || fact.t > to)
    )
      return []
    const text = sentence(fact)
    return text ? [`${clock(fact.t).padStart(10)}  ${text}`] : []
  })
  const clocks = plan.instances.map((name, i) => `${name} (clock ${plan.skews[i]} ms off)`).join(', ')
  const head = `seed ${plan.seed}: ${plan.servers} Redis, ${clocks}, ${plan.faults.length} faults`
  return [head, ...(violation ? [`broken: ${violation.promise}: ${violation.text}`] : []), ...lines].join(
    '\n',
  )
}

function sentence(fact: Fact): string {
  switch (fact.what) {
    case 'fault':
      return fact.text
    case 'life':
      return fact.event === 'kill' ? '' : `${fact.who}: ${[fact.event, fact.why].filter(Boolean).join(': ')}`
    case 'start':
      return `${fact.who} starts ${fact.tick} (#${fact.start}, fence ${fact.fence}, ${fact.cause})`
    case 'work':
      return `${fact.who} works on ${fact.tick}`
    case 'finish':
      return `${fact.who} finishes ${fact.tick}`
    case 'settled':
      return `${fact.who} says of ${fact.tick} #${fact.start}: ${[fact.outcome, fact.reason, fact.error].filter(Boolean).join(', ')}`
    case 'lost':
      return `${fact.who} says that ${fact.tick} is lost (by ${fact.by})`
    case 'fenced':
      return `${fact.who} learns that ${fact.tick} was taken over by ${fact.by}`
    case 'pause':
    case 'resume':
      return `${fact.who}: somebody asks to ${fact.what} ${fact.job}`
    case 'crash':
      return `${fact.who} crashes: ${fact.text}`
  }
}
