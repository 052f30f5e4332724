import assert from 'node:assert/strict'
import { type Claim, every, type JobOptions, manual, type Plugin, type Run } from '@escapement/core'
import { awaitRuns } from './await-runs.ts'
import type { Case } from './case.ts'
import { type FakeRun, fakeRun } from './fake-run.ts'
import {
  again,
  granted,
  type Instance,
  makeFleet,
  passed,
  refused,
  soon,
  TIMES,
  untilAborted,
} from './fleet.ts'

export interface LockContractOptions {
  /**
   * Makes the plugin of one more instance of a fleet. Instances of one fleet see each other, those of others do
   * not. The plugin is to use these times: an instance without news for `lease` ms is dead.
   */
  plugin(fleet: string, times: { lease: number; heartbeat: number }): Plugin | Promise<Plugin>
  /** Makes the backend unreachable for all instances of a fleet, and reachable again. */
  fault?: { break(fleet: string): Promise<void>; heal(fleet: string): Promise<void> }
  /** The plugin shares which jobs are paused. Default false. */
  pauses?: boolean
}

/**
 * What a lock must do, as cases for any test runner. They take some seconds of real time: leases have to expire.
 *
 * @example
 * for (const { name, run } of lockContract({ plugin })) test(name, run)
 */
export function lockContract({ plugin, fault, pauses }: LockContractOptions): Case[] {
  let fleets = 0
  const fleet = (
    name: string,
    size: number,
    work: (all: Instance[], fleet: string) => Promise<void>,
    { handler = () => {}, ...options }: JobOptions & { handler?: (run: Run) => unknown } = {},
  ): Case => ({
    name,
    run: async () => {
      const id = `fleet${++fleets}`
      const all = await makeFleet({ name: id, size, plugin: () => plugin(id, TIMES) }, options, handler)
      try {
        await Promise.all(all.map(({ scheduler }) => scheduler.start()))
        await work(all, id)
      } finally {
        for (const { clock } of all) clock.resume()
        await Promise.all(all.map(({ scheduler }) => scheduler.stop()))
      }
    },
  })
  // Each its own instant of the last second: neither too early nor too late for any backend.
  let last = 0
  const tick = (given: FakeRun = {}) => {
    last = Math.max(last + 1, Date.now() - 500)
    return fakeRun({ at: last, ...given })
  }
  const claims = async ({ lock }: Instance, run: Run, exclusive = true) => lock.claim(run, { exclusive })

  const cases = [
    fleet('of ten instances that claim a tick at once, one gets it', 10, async (all) => {
      for (let round = 0; round < 5; round++) {
        const at = tick().tick.scheduledAt
        const answers = await Promise.all(all.map((one) => claims(one, fakeRun({ at }))))
        const won = answers.filter((answer): answer is Claim => answer.granted)
        assert.equal(won.length, 1)
        for (const answer of answers) if (!answer.granted) assert.equal(answer.reason, 'claimed-elsewhere')
        await won[0]?.complete('succeeded')
      }
    }),
    fleet('a tick stays claimed after its run has ended', 2, async ([a, b]) => {
      const at = Date.now()
      await (await granted(claims(a as Instance, fakeRun({ at })))).complete('failed')
      assert.equal((await refused(claims(b as Instance, fakeRun({ at })))).reason, 'claimed-elsewhere')
      assert.equal((await refused(claims(a as Instance, fakeRun({ at })))).reason, 'claimed-elsewhere')
    }),
    fleet('an instant that is met again after the clock was set back is another tick', 2, async ([a, b]) => {
      const at = Date.now()
      for (const fold of [0, 1, 2]) {
        await (await granted(claims(a as Instance, fakeRun({ at, fold })))).complete('succeeded')
        const again = await refused(claims(b as Instance, fakeRun({ at, fold })))
        assert.equal(again.reason, 'claimed-elsewhere')
      }
    }),
    fleet('a lease keeps runs of one job from overlapping, and only of that job', 2, async ([a, b]) => {
      const first = await granted(claims(a as Instance, tick()))
      assert.equal((await refused(claims(b as Instance, tick()))).reason, 'overlap')
      await (await granted(claims(b as Instance, tick({ job: 'other' })))).complete('succeeded')
      await (await granted(claims(b as Instance, tick(), false))).complete('succeeded')
      await first.complete('succeeded')
      await (await granted(claims(b as Instance, tick()))).complete('succeeded')
    }),
    fleet('fences rise from claim to claim of a job, whoever claims', 3, async (all) => {
      let last = 0
      for (let i = 0; i < 30; i++) {
        const claim = await granted(claims(all[i % 3] as Instance, tick()))
        assert.ok((claim.fence ?? 0) > last, `fence ${claim.fence} after ${last}`)
        last = claim.fence ?? 0
        await claim.complete('succeeded')
      }
    }),
    fleet('a claim is held until it is finished', 1, async ([a]) => {
      const claim = await granted(claims(a as Instance, tick()))
      assert.equal(claim.held(), true)
      await claim.complete('succeeded')
      assert.equal(claim.held(), false)
    }),
    fleet(
      'a claim that is released is as if it had never been: another instance gets the tick',
      2,
      async ([a, b]) => {
        const run = tick()
        const claim = await granted(claims(a as Instance, run))
        await claim.release()
        assert.equal(claim.held(), false)
        const next = fakeRun({ at: run.tick.scheduledAt })
        const second = await granted(claims(b as Instance, next))
        assert.equal(second.restarts ?? 0, 0, 'a start that did not begin does not count')
        assert.ok((second.fence ?? 0) > (claim.fence ?? 0))
        await second.complete('succeeded')
      },
    ),
    fleet('a heartbeat keeps a claim for longer than its lease', 2, async ([a, b]) => {
      const claim = await granted(claims(a as Instance, tick()))
      await (b as Instance).scheduler.run('other', undefined, { wait: true })
      await passed(TIMES.lease * 1.5)
      assert.equal(claim.held(), true)
      assert.equal((await refused(claims(b as Instance, tick()))).reason, 'overlap')
      await claim.complete('succeeded')
    }),
    fleet('an instance that stalls does not trust its lease when it is over', 1, async ([a]) => {
      const claim = await granted(claims(a as Instance, tick()))
      a?.clock.stall()
      await passed(TIMES.lease + 50)
      assert.equal(claim.held(), false)
      const lost = new Promise((resolve) => claim.onLost(resolve))
      a?.clock.resume()
      assert.equal(((await lost) as { code?: string }).code, 'ERR_ESCAPEMENT_LEASE_LOST')
      assert.equal(claim.held(), false)
    }),
    fleet(
      'the run of an instance that stalls is run again elsewhere: same tick and key, higher fence',
      3,
      async ([a, b, c]) => {
        const run = tick({ onAbandoned: 'rerun' })
        const claim = await granted(claims(a as Instance, run))
        const elsewhere = Promise.race(
          [b, c].map((one) => awaitRuns((one as Instance).scheduler, { where: again })),
        )
        a?.clock.stall()
        const [second] = await elsewhere
        assert.equal(second?.key, run.key)
        assert.equal(second?.tick.id, run.tick.id)
        assert.equal(second?.outcome, 'succeeded')
        assert.ok((second?.restarts ?? 0) === 1 && (second?.fence ?? 0) > (claim.fence ?? 0))
        assert.equal(claim.held(), false)
        a?.clock.resume()
        await claim.complete('succeeded')
        assert.equal(
          (await refused(claims(b as Instance, tick({ at: run.tick.scheduledAt })))).reason,
          'claimed-elsewhere',
        )
      },
      { onAbandoned: 'rerun' },
    ),
    fleet('ticks that come meanwhile do not get in the way of what is run again', 2, async ([a, b]) => {
      const options: JobOptions & { schema?: undefined } = { onAbandoned: 'rerun' }
      const stuck = new Promise<Run>((resolve) => {
        a?.scheduler.job('ticking', every(250), options, (run) => {
          a.clock.stall()
          resolve(run)
          return untilAborted(run)
        })
      })
      const { key } = await stuck
      const there = (b as Instance).scheduler
      const second = awaitRuns(there, { event: 'succeeded', where: (run) => run.key === key })
      there.job('ticking', every(250), options, () => {})
      assert.equal((await second)[0]?.restarts, 1)
      await awaitRuns(there, {
        event: 'succeeded',
        job: 'ticking',
        where: (run) => run.cause === 'schedule',
      })
    }),
    fleet('without rerun one instance reports it as abandoned, and the job goes on', 3, async ([a, b, c]) => {
      const run = tick()
      await granted(claims(a as Instance, run))
      const told: Run[] = []
      for (const one of [b, c]) one?.scheduler.on('abandoned', (dead) => void told.push(dead))
      const seen = Promise.race(
        [b, c].map((one) => awaitRuns((one as Instance).scheduler, { event: 'abandoned' })),
      )
      a?.clock.stall()
      await seen
      await passed(TIMES.heartbeat * 3)
      assert.deepEqual(
        told.map(({ key, outcome, instance }) => ({ key, outcome, instance })),
        [{ key: run.key, outcome: 'abandoned', instance: a?.scheduler.instance }],
      )
      await (await granted(claims(b as Instance, tick()))).complete('succeeded')
      assert.equal(
        (await refused(claims(c as Instance, tick({ at: run.tick.scheduledAt })))).reason,
        'claimed-elsewhere',
      )
    }),
    fleet(
      'what an instance aborts at its shutdown is run again elsewhere at once',
      2,
      async ([a, b]) => {
        const again_ = awaitRuns((b as Instance).scheduler, { where: again, timeout: TIMES.lease * 5 })
        const running = awaitRuns((a as Instance).scheduler, { event: 'running' })
        a?.scheduler.job('long', soon(), { onAbandoned: 'rerun' }, untilAborted)
        b?.scheduler.job('long', manual(), { onAbandoned: 'rerun' }, () => {})
        const one = await running
        await (a as Instance).scheduler.stop()
        const [second] = await again_
        assert.equal(second?.key, one[0]?.key)
        assert.equal(second?.outcome, 'succeeded')
      },
      { onAbandoned: 'rerun' },
    ),
    fleet('a named mutex is held by one at a time, and freed by a failure', 4, async (all) => {
      let inside = 0
      let most = 0
      let turns = 0
      const turn = async () => {
        most = Math.max(most, ++inside)
        await passed(5)
        inside--
        if (++turns % 3 === 0) throw new Error('failed inside')
      }
      await Promise.allSettled(
        Array.from({ length: 12 }, (_, i) => (all[i % 4] as Instance).scheduler.exclusive('name', turn)),
      )
      assert.equal(turns, 12)
      assert.equal(most, 1)
    }),
    fleet('who waits for a mutex can give up', 2, async ([a, b]) => {
      const controller = new AbortController()
      await (a as Instance).scheduler.exclusive('name', async () => {
        const waiting = (b as Instance).scheduler.exclusive('name', () => {}, controller.signal)
        controller.abort(new Error('enough'))
        await assert.rejects(waiting, /enough/)
      })
    }),
    fleet(
      'a claim that was found not to be held any more is left to be taken over, and never closed',
      2,
      async ([a, b]) => {
        const run = tick({ onAbandoned: 'rerun' })
        const claim = await granted(claims(a as Instance, run))
        // Nobody can take it over yet.
        for (const one of [a, b]) one?.clock.stall()
        await passed(TIMES.lease + 50)
        assert.equal(claim.held(), false)
        // Any of them may run it again, the one that was held up as well.
        const reruns = [a, b].map((one) => awaitRuns((one as Instance).scheduler, { where: again }))
        for (const rerun of reruns) rerun.catch(() => {})
        a?.clock.resume()
        await claim.complete('lease-lost')
        b?.clock.resume()
        const [second] = await Promise.race(reruns)
        assert.equal(second?.tick.id, run.tick.id)
        assert.equal(second?.restarts, 1)
        assert.ok((second?.fence ?? 0) > (claim.fence ?? 0))
      },
      { onAbandoned: 'rerun' },
    ),
  ]
  if (pauses) {
    cases.push(
      fleet(
        'a pause on one instance holds on all, with who and why, until it is resumed anywhere',
        3,
        async (all) => {
          const told = (event: 'paused' | 'resumed', on: readonly Instance[]) =>
            Promise.all(
              on.map(
                ({ scheduler }) =>
                  new Promise((resolve) => {
                    const undo = scheduler.on(event, (job, info) => {
                      undo()
                      resolve([job.name, info])
                    })
                  }),
              ),
            )
          const [a, b, c] = all as [Instance, Instance, Instance]
          const info = { by: 'ann', reason: 'flood' }
          const paused = told('paused', [b, c])
          void a.scheduler.pause('job', info)
          assert.deepEqual(await paused, [
            ['job', info],
            ['job', info],
          ])
          assert.deepEqual(c.scheduler.get('job').paused, info)
          assert.equal(c.scheduler.get('other').paused, undefined)
          const resumed = told('resumed', [a, c])
          void b.scheduler.resume('job')
          await resumed
          assert.equal(a.scheduler.get('job').paused, undefined)
        },
      ),
    )
  }
  if (fault) {
    cases.push(
      fleet(
        'an unreachable backend is a refusal, in bounded time, and no more once it is back',
        2,
        async ([a, b], id) => {
          await fault.break(id)
          const asked = Date.now()
          const answers = await Promise.all([a, b].map((one) => claims(one as Instance, tick())))
          for (const answer of answers) {
            assert.ok(!answer.granted && answer.reason === 'claim-unavailable' && answer.error)
          }
          assert.ok(Date.now() - asked < 10_000)
          await fault.heal(id)
          for (let tries = 0; ; tries++) {
            const answer = await claims(a as Instance, tick())
            if (answer.granted) return answer.complete('succeeded')
            assert.ok(tries < 100, 'the lock has not come back')
            await passed(TIMES.heartbeat)
          }
        },
      ),
    )
  }
  return cases
}
