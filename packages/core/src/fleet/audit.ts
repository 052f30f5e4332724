import type { EngineContext } from '../engine/context.ts'
import { keptText } from '../run/notes.ts'
import { memoryAudit } from '../store/memory-audit.ts'
import { instant, STORE_TIMEOUT_MS } from '../store/query.ts'
import type { AuditEntry, AuditQuery, AuditStore } from '../types/index.ts'
import { describe } from '../util/describe.ts'
import { serial, timeOrderedId } from '../util/ids.ts'
import { answer } from '../util/time.ts'
import { checkKeys, integer, text } from '../util/validate.ts'

/** What there is to say of an entry. */
export type Noted = { [K in keyof Omit<AuditEntry, 'id' | 'at' | 'instance'>]: AuditEntry[K] | undefined } & {
  readonly action: AuditEntry['action']
}

/** Keeps what people do. That an entry cannot be kept keeps nothing from being done. */
export class Audit {
  readonly #context: EngineContext
  readonly #store: AuditStore

  constructor(context: EngineContext) {
    this.#context = context
    this.#store = context.store.audit ?? memoryAudit()
  }

  /** Does something, and notes it: as done, or as refused with the reason. */
  async around<T>(entry: Noted, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work()
      await this.note(entry)
      return result
    } catch (error) {
      await this.note({ ...entry, refused: describe(error).message })
      throw error
    }
  }

  async note(entry: Noted): Promise<void> {
    const { faults, clock, instance, redact } = this.#context
    const now = this.#context.now()
    const said = Object.entries(entry).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, keptText(value, redact)]],
    )
    const id = timeOrderedId(now, serial())
    const full = { id, at: new Date(now), instance, ...Object.fromEntries(said) } as AuditEntry
    try {
      await answer(clock, this.#store.add(full), STORE_TIMEOUT_MS, 'store.audit.add()')
      faults.troubles.works('store.audit')
    } catch (error) {
      faults.storeFailed('store.audit', error, 'what people do is not kept')
    }
  }

  /** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_UNAVAILABLE, and what the store throws */
  async list(query: AuditQuery): Promise<AuditEntry[]> {
    checkKeys(query, KNOWN, 'audit option')
    for (const key of ['job', 'run', 'action', 'by', 'before'] as const) text(key, query[key])
    for (const key of ['from', 'until'] as const) instant(key, query[key])
    if (query.limit !== undefined) integer('limit', query.limit, 0)
    const entries = await answer(
      this.#context.clock,
      this.#store.list(query),
      STORE_TIMEOUT_MS,
      'store.audit.list()',
    )
    return [...entries]
  }
}

const KNOWN = {
  job: 1,
  run: 1,
  action: 1,
  by: 1,
  from: 1,
  until: 1,
  before: 1,
  limit: 1,
} satisfies Record<keyof AuditQuery, 1>
