import type { Chain } from '../chain/compose.ts'
import { parseHandler } from '../chain/handler.ts'
import { EscapementError, show } from '../errors.ts'
import { toTrigger } from '../triggers/index.ts'
import { isManual, manual } from '../triggers/manual.ts'
import type { Handler, JobDefaults, JobOptions, Policies, Trigger, TriggerSpec } from '../types/index.ts'
import { fail } from '../util/validate.ts'
import { scheduledData } from './job-data.ts'
import { type JobController, JobEntry } from './job-entry.ts'
import { parsePolicies } from './settings.ts'

/** Two names that look alike would be two jobs, and one that turns or breaks a line lies in logs and chats. */
const INVISIBLE = /\u034f|[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/u

export interface RegistryParts {
  readonly controller: JobController
  /** Of jobs that say nothing else. */
  readonly defaults: JobDefaults
  chainOf(policies: Policies): Chain
  /** Those of this scheduler; undefined: all. */
  readonly roles: readonly string[] | undefined
}

/** The jobs of a scheduler by name. What cannot run is refused here, not at three in the morning. */
export class Registry {
  readonly #parts: RegistryParts
  readonly #defaults: JobDefaults
  /** The policies of jobs that say nothing: one object for all. */
  readonly #plain: Policies
  readonly #jobs = new Map<string, JobEntry>()
  #order = 0
  /** How often jobs have come or gone. */
  changes = 0

  constructor(parts: RegistryParts) {
    this.#parts = parts
    this.#defaults = parts.defaults
    this.#plain = parsePolicies({}, this.#defaults, 'defaults')
  }

  get size(): number {
    return this.#jobs.size
  }

  all(): Iterable<JobEntry> {
    return this.#jobs.values()
  }

  /** Those that this instance runs. */
  *here(): Iterable<JobEntry> {
    for (const job of this.#jobs.values()) if (job.here) yield job
  }

  has(name: string): boolean {
    return this.#jobs.has(name)
  }

  find(name: string): JobEntry | undefined {
    return this.#jobs.get(name)
  }

  get(name: string): JobEntry {
    const job = this.#jobs.get(name)
    if (job) return job
    // It may travel to whoever sent the name: it tells no names of others.
    const message = `there is no job ${show(name)} among the ${this.#jobs.size} that are registered`
    throw new EscapementError('ERR_ESCAPEMENT_JOB_UNKNOWN', message)
  }

  add(name: string, spec: TriggerSpec, ...rest: (JobOptions | Handler | undefined)[]): JobEntry {
    this.#checkName(name)
    if (typeof rest[0] === 'function' && rest[1] !== undefined) {
      fail(
        `what follows the handler of job ${show(name)}`,
        'left out: options come before the handler',
        rest[1],
      )
    }
    const [options, given] = typeof rest[0] === 'function' ? [undefined, rest[0]] : rest
    const handler = parseHandler(name, given)
    if (options !== undefined && (typeof options !== 'object' || options === null)) {
      fail(`the options of job ${show(name)}`, 'an object', options)
    }
    // A blackout may have an H, which the name settles.
    const own = options ?? (this.#defaults.blackout === undefined ? undefined : {})
    const policies = own ? parsePolicies(own, this.#defaults, name) : this.#plain
    const { timezone, dst } = { ...this.#defaults, ...options }
    const trigger = toTrigger(spec, { timezone, dst, seed: name })
    const job = new JobEntry(
      this.#parts.controller,
      this.#order++,
      {
        name,
        trigger,
        handler,
        policies,
        data: this.#data(name, trigger, policies, options),
        chain: this.#parts.chainOf(policies),
      },
      { paused: options?.paused === true, here: this.#isHere(policies) },
    )
    this.#jobs.set(name, job)
    this.changes++
    return job
  }

  /** A job that is not registered, in the place of one that is gone: its runs need one to be reported. */
  standIn(name: string): JobEntry | undefined {
    if (!isName(name)) return undefined
    const [policies, trigger] = [this.#plain, manual()]
    const parts = { name, trigger, handler: () => {}, policies, data: undefined }
    const chain = this.#parts.chainOf(policies)
    return new JobEntry(
      this.#parts.controller,
      this.#order++,
      { ...parts, chain },
      { paused: false, here: true },
    )
  }

  delete(job: JobEntry): boolean {
    if (this.#jobs.get(job.name) !== job) return false
    this.changes++
    return this.#jobs.delete(job.name)
  }

  #isHere({ role }: Policies): boolean {
    const { roles } = this.#parts
    return role === undefined || roles === undefined || roles.includes(role)
  }

  /** What its ticks get. A job without ticks needs none. */
  #data(name: string, trigger: Trigger, { schema }: Policies, options: JobOptions | undefined): unknown {
    const data = options?.data
    return data === undefined && isManual(trigger) ? undefined : scheduledData(name, schema, data)
  }

  #checkName(name: string): void {
    if (!isName(name)) {
      throw new EscapementError(
        'ERR_ESCAPEMENT_JOB_NAME',
        `a job name is a string of 1 to 200 characters without control characters, invisible characters and halves of surrogate pairs, but got ${show(name)}`,
      )
    }
    if (this.#jobs.has(name)) {
      throw new EscapementError(
        'ERR_ESCAPEMENT_JOB_EXISTS',
        `there is a job ${show(name)} already: choose another name, or remove it first`,
      )
    }
  }
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= 200 && !INVISIBLE.test(name)
}
