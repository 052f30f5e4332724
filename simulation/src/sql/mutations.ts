import type { Mutation } from '../load.ts'

const lock = 'sql-fleet/src/claims/lock.ts'
const lease = 'sql-fleet/src/claims/lease.ts'
const recover = 'sql-fleet/src/recovery/recover.ts'
const fleet = 'sql-fleet/src/sql-fleet.ts'
const sqlite = 'sqlite/src/backend.ts'
const postgres = 'postgres/src/backend.ts'

/** Rules of the protocol of fleets over SQL, each left out. */
export const SQL_MUTATIONS: readonly Mutation[] = [
  {
    name: 'sqlite: fences come from the clock',
    fleet: 'sqlite',
    edits: [
      [
        'sqlite/src/file/prepared.ts',
        'Math.max(this.#fence + 1, Math.floor(now) * 1000)',
        'Math.floor(now) * 1000',
      ],
    ],
  },
  {
    name: 'sqlite: claims take no lease',
    fleet: 'sqlite',
    edits: [[sqlite, 'leased ? 1 : 0', '0']],
  },
  {
    name: 'sqlite: what living owners hold is taken over',
    fleet: 'sqlite',
    edits: [[sqlite, 'AND key > ? AND owner NOT IN (SELECT owner FROM instances)\n', 'AND key > ?\n']],
  },
  {
    name: 'sqlite: a take-over does not ask whose the claim is',
    fleet: 'sqlite',
    edits: [
      [
        sqlite,
        "instance = ?, owner = ?\n      WHERE key = ? AND token = ? AND state = 'run'",
        "instance = ?, owner = ?\n      WHERE key = ? AND ? <> '' AND state = 'run'",
      ],
    ],
  },
  {
    name: 'sqlite: a quarter of the lease without a heartbeat is enough',
    fleet: 'sqlite',
    edits: [[sqlite, 'now - since >= this.#lease ?', 'now - since >= this.#lease / 4 ?']],
  },
  {
    name: 'sqlite: a sign of life that came meanwhile is ignored',
    fleet: 'sqlite',
    edits: [[sqlite, 'WHERE owner = ? AND beat = ?', 'WHERE owner = ? AND ? > 0']],
  },
  {
    name: 'sqlite: a lease is trusted after a stall',
    fleet: 'sqlite',
    edits: [
      [lease, 'return clock.monotonic() < this.#deadline && clock.now() < this.#wallDeadline', 'return true'],
    ],
  },
  {
    name: 'sqlite: a lease counts from the answer',
    fleet: 'sqlite',
    edits: [
      [
        lease,
        'if (this.#open) this.#confirm(sent)',
        'if (this.#open) this.#confirm({ mono: clock.monotonic(), wall: clock.now() })',
      ],
    ],
  },
  {
    name: 'sqlite: a life whose lease is over goes on',
    fleet: 'sqlite',
    edits: [
      [lease, 'this.#over = true', ''],
      [
        lease,
        "if (!this.#over && !(await renew())) this.#lose('this instance was declared dead')",
        'if (!this.trusted || !(await renew())) this.#over = true',
      ],
    ],
  },
  {
    name: 'sqlite: nothing settles after an outage',
    fleet: 'sqlite',
    edits: [[fleet, 'if (this.#clock.monotonic() >= this.#settledAt) await', 'await']],
  },
  {
    name: 'sqlite: ends are not repeated',
    fleet: 'sqlite',
    edits: [
      [
        'sql-fleet/src/claims/ends.ts',
        'this.#onFault(error)\n      this.#schedule()',
        'this.#open.delete(token)',
      ],
    ],
  },
  {
    name: 'sqlite: what was only decided is run again',
    fleet: 'sqlite',
    edits: [[lock, "const runs = exclusive || job.policies.overlap === 'allow'", 'const runs = true']],
  },
  {
    name: 'sqlite: a claim that came too late is left behind',
    fleet: 'sqlite',
    edits: [
      [
        lock,
        "this.#withdraw(token, owner)\n      return unavailable('the heartbeat of this instance came too late')",
        "return unavailable('the heartbeat of this instance came too late')",
      ],
    ],
  },
  {
    name: 'sqlite: orphans are not looked for',
    fleet: 'sqlite',
    edits: [
      [
        recover,
        'const orphans = await backend.orphans(this.#after, PAGE_SIZE)',
        'const orphans: ClaimRow[] = []',
      ],
    ],
  },
  {
    name: 'sqlite: pauses of others are not looked for',
    fleet: 'sqlite',
    edits: [['sql-fleet/src/fleet/shared-fleet.ts', 'this.#self?.pausesChanged(pauses)', '']],
  },
  {
    name: 'postgres: a claim does not ask whether its owner lives',
    fleet: 'postgres',
    edits: [[postgres, 'WHERE until > clock_timestamp() AND', 'WHERE true OR']],
  },
  {
    name: 'postgres: a claim whose answer came after the lease begins its run',
    fleet: 'postgres',
    edits: [[lock, 'this.#parts.owner() === owner && leases.trusted', 'this.#parts.owner() === owner']],
  },
  {
    name: 'postgres: a claim that waited asks whether its owner lived when it came',
    fleet: 'postgres',
    edits: [[postgres, 'WHERE until > clock_timestamp() AND', 'WHERE until > now() AND']],
  },
  {
    name: 'postgres: owners are declared dead early',
    fleet: 'postgres',
    edits: [[postgres, 'WHERE until < now()', 'WHERE until < now() + make_interval(secs => 2.5)']],
  },
  {
    name: 'postgres: answers that are lost are not looked for',
    fleet: 'postgres',
    edits: [[lock, 'return claims.filter(', 'return [] as typeof claims\n    claims.filter(']],
  },
  {
    name: 'postgres: a word whose answer was lost is not said',
    fleet: 'postgres',
    edits: [[recover, 'await this.#confirmMarked()', '']],
  },
]
