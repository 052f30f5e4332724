import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'
import { Leases } from '../src/claims/lease.ts'

test('a life whose lease is over is not continued by a heartbeat that was under way', async () => {
  const clock = new VirtualClock('2026-11-20T09:00:00Z')
  const answers: ((written: boolean) => void)[] = []
  let lives = 0
  const leases = new Leases({
    clock,
    lease: 1000,
    heartbeat: 300,
    renew: () => new Promise((resolve) => void answers.push(resolve)),
    enlist: () => void lives++,
    onHeartbeat: () => {},
  })
  await leases.start()
  const reasons: string[] = []
  const claim = leases.hold({
    name: 'report@1',
    fence: 1,
    restarts: 0,
    complete: async () => {},
    release: async () => {},
    onLost: () => reasons.push('lost'),
  })
  // The database takes longer for the heartbeat than the lease lasts, and writes it.
  await clock.advance(1100)
  expect({ lives, reasons, held: claim.held() }).toEqual({ lives: 1, reasons: ['lost'], held: false })
  for (const answer of answers) answer(true)
  await clock.advance(1)
  // Under the old life, its claims would pass for such that nobody asked for, and be removed.
  expect({ lives, trusted: leases.trusted }).toEqual({ lives: 2, trusted: true })
  leases.stop()
})
