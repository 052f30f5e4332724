import type { Mutation } from './load.ts'

const claim = 'redis-lock/src/scripts/claim.lua'
const lease = 'redis-lock/src/lease/lease.ts'

/** Rules of the protocol, each left out. The checker must notice every one of them. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'no restart guard',
    edits: [[claim, "if guard and state == 'run' and at - early < since then return 'abstain' end", '']],
  },
  {
    name: 'leases at once after a restart',
    edits: [
      [claim, "if guard and now < since + hold then return 'hold|' .. (since + hold - now) end", ''],
      ['redis-lock/src/nodes/nodes.ts', 'if (!guard) return 0', 'return 0'],
    ],
  },
  {
    name: 'a restart is not noticed',
    edits: [
      [
        'redis-lock/src/scripts/prelude.lua',
        "if id ~= identity() or (expected or '') ~= '' and expected ~= id then return nil end",
        '',
      ],
    ],
  },
  {
    name: 'a lease is trusted after a stall',
    edits: [
      [
        lease,
        'return !this.lost && !this.ended && clock.monotonic() < this.deadline && clock.now() < this.#wallDeadline',
        'return !this.lost && !this.ended',
      ],
    ],
  },
  { name: 'a lease is trusted after a sleep', edits: [[lease, ' && clock.now() < this.#wallDeadline', '']] },
  {
    name: 'no abort at the deadline',
    edits: [
      [lease, "if (now >= hold.deadline) hold.lose('it could not be renewed in time')\n      else if", 'if'],
    ],
  },
  { name: 'leases are not renewed', edits: [[lease, 'due.push(hold)', 'void hold']] },
  {
    name: 'leases are ignored',
    edits: [[claim, "if theirs and not (back and stale(ends, lease)) then return 'busy|' .. holder end", '']],
  },
  {
    name: 'a lease that is over is renewed',
    edits: [
      ['redis-lock/src/scripts/beat.lua', "if not open or tonumber(open) <= now then return 'over' end", ''],
      [
        'redis-lock/src/scripts/beat.lua',
        "if leased and (holder ~= token or tonumber(ends) <= now) then return 'over' end",
        '',
      ],
      [lease, "if (now >= hold.deadline) hold.lose('it could not be renewed in time')\n      else if", 'if'],
    ],
  },
  {
    name: 'the end deletes the record',
    edits: [
      [
        'redis-lock/src/scripts/end.lua',
        "write(KEYS[k], start .. '|' .. own .. 'done', retention)",
        "redis.call('DEL', KEYS[k]) value[KEYS[k]] = nil",
      ],
    ],
  },
  {
    name: 'ends are not repeated',
    edits: [['redis-lock/src/end/completion-writer.ts', 'this.#failed.add(entry)', 'void entry']],
  },
  {
    name: 'what was aborted counts as done',
    edits: [[lease, "left || outcome === 'lease-lost' ? 'abandon' : 'done'", "'done'"]],
  },
  {
    name: 'recovery without a ballot',
    edits: [[claim, 'tonumber(s) >= tonumber(start)', 'tonumber(s) > tonumber(start)']],
  },
  {
    name: 'the clock of the instance decides',
    edits: [[claim, "if at > now + early then return 'wait|' .. (at - now - early) end", '']],
  },
  {
    name: 'the fence is a counter',
    edits: [
      [
        claim,
        'fence = us > tonumber(issued) and stamp or digits(tonumber(issued) + 1)',
        'fence = digits(tonumber(issued) + 1)',
      ],
    ],
  },
  {
    name: 'commands that come too late are executed',
    edits: [[claim, "if now > expires then return { now, 'expired' } end", '']],
  },
  {
    name: 'grants are not withdrawn',
    fleet: 'three masters',
    edits: [
      [
        'redis-lock/src/claim/quorum-claims.ts',
        'await Promise.allSettled(nodes.map((node) => node.tell(END, keys, args)))',
        '',
      ],
    ],
  },
  {
    name: 'reservations are ignored',
    fleet: 'three masters',
    edits: [[claim, "if prepared and prepared ~= token then return 'contended' end", '']],
  },
  {
    name: 'one vote is enough',
    fleet: 'three masters',
    edits: [
      [
        'redis-lock/src/nodes/nodes.ts',
        'this.quorum = Math.floor(settings.clients.length / 2) + 1',
        'this.quorum = 1',
      ],
    ],
  },
  {
    name: 'votes are judged early',
    fleet: 'three masters',
    edits: [
      [
        'redis-lock/src/claim/quorum-claims.ts',
        'await Promise.all(rounds)\n',
        'await Promise.race(rounds)\n',
      ],
    ],
  },
  {
    name: 'nobody helps the owner',
    edits: [['redis-lock/src/claim/claims.ts', 'if (rank === 0) return 0', 'return rank === 0 ? 0 : 1e9']],
  },
  {
    name: 'abandoned runs are not looked for',
    edits: [
      [
        'redis-lock/src/recovery/recover.ts',
        'const free = cases.filter(',
        'const free = ([] as Case[]).filter(',
      ],
    ],
  },
]
