import type { Report } from '../check.ts'
import type { Scenario } from '../scenario.ts'
import type { Line } from '../worker-config.ts'
import { sleep, type World } from '../world.ts'
import { busyWorker, long } from './deaths.ts'

/** Runs that came to their end and were reported as lost or abandoned all the same. */
export function falseWords(_: Report, lines: Line[]): string[] {
  const ended = new Map(lines.flatMap(({ e, tick, t }) => (e === 'end' && tick ? [[tick, t] as const] : [])))
  return lines.flatMap(({ name, outcome, tick, t }) => {
    const word = name === 'tick-lost' || outcome === 'abandoned'
    return word && tick && (ended.get(tick) ?? Infinity) < t
      ? [`${tick} had ended, and was reported as lost`]
      : []
  })
}

/** Waits until the run of the long job that is under way has ended. */
async function longEnds(world: World): Promise<void> {
  const since = Date.now()
  await world.until(8000, ({ e, job, t }) => e === 'end' && job === 'long' && t > since)
}

const snapshots = (['record', 'rerun'] as const).map(
  (policy): Scenario => ({
    name: `snapshot-restart-${policy}`,
    about: `Redis is restarted from a snapshot that was taken in a run which has ended since; onAbandoned: '${policy}'`,
    sample: policy === 'record',
    world: { workers: 3, jobs: long(policy) },
    async faults(world) {
      await busyWorker(world)
      await world.nodes[0]?.command('SAVE')
      await longEnds(world)
      await sleep(500)
      world.note('restart')
      await world.nodes[0]?.kill()
      await world.nodes[0]?.up()
      await sleep(10_000)
    },
    also: falseWords,
  }),
)

const deploy: Scenario = {
  name: 'pause-during-deploy',
  about: 'a rolling deploy of three instances, and Redis hangs for 1.5 s at each of them',
  world: { workers: 3, jobs: long('record') },
  async faults(world) {
    for (const { name } of [...world.workers]) {
      await sleep(1000 - (Date.now() % 1000) + 5)
      world.worker(name).expected = true
      world.nodes[0]?.hang()
      world.tell(name, { do: 'stop' })
      await sleep(1500)
      world.nodes[0]?.resume()
      await world.join()
    }
    await sleep(5000)
  },
  also: falseWords,
}

const outage: Scenario = {
  name: 'outage-at-the-end-of-a-run',
  about: 'Redis hangs for longer than the lease just before a run ends',
  world: { workers: 3, jobs: long('record') },
  async faults(world) {
    await busyWorker(world)
    await sleep(1500)
    world.nodes[0]?.hang()
    await sleep(4000)
    world.nodes[0]?.resume()
    await sleep(8000)
  },
  also: falseWords,
}

const orphans: Scenario = {
  name: 'orphans-of-unknown-jobs',
  about: '2,000 abandoned runs of jobs that no instance has, and an instance is killed while its job works',
  world: { workers: 3, jobs: long('rerun') },
  async faults(world) {
    const make = `local t = tonumber(redis.call('TIME')[1]) * 1000 for i = 1, 2000 do
      redis.call('SET', '{escapement:0}:gone:t:' .. (t - i), '1|gone/1.' .. i .. '|' .. t .. '000|run', 'PX', 600000)
      redis.call('ZADD', '{escapement:0}:open', t - 9000 - i, 't|' .. (t - i) .. '|gone') end`
    await world.nodes[0]?.command(`EVAL "${make.replaceAll(/\s+/g, ' ')}" 0`)
    world.kill(await busyWorker(world))
    await sleep(8000)
  },
  also: ({ recovery }) => (recovery.length === 0 ? ['nothing was recovered'] : []),
}

export const memory: readonly Scenario[] = [...snapshots, deploy, outage, orphans]
