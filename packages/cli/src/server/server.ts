import { printable } from '@escapement/core/plugin'
import { type Output, UsageError } from '../settings.ts'
import { cancelRun, pause, resume, retryRun, runJob } from './actions.ts'
import { ServerError, serverOf } from './client.ts'
import { listJobs, listRuns } from './lists.ts'
import { showLogs } from './logs.ts'
import type { Command, Given } from './types.ts'

/** A command that asks the API of a scheduler. */
interface Spec {
  readonly command: Command
  /** What the argument names: `?` it may be left out. */
  readonly about?: 'job' | 'job?' | 'run'
  readonly options: readonly (keyof Given)[]
}

const PLACE = ['url', 'token', 'json'] as const satisfies readonly (keyof Given)[]

const specs: Readonly<Record<string, Spec>> = {
  jobs: { command: listJobs, options: ['text', 'group', 'owner', 'state', 'n'] },
  runs: {
    command: listRuns,
    options: ['job', 'outcome', 'state', 'cause', 'from', 'until', 'text', 'n', 'tz'],
  },
  run: {
    command: runJob,
    about: 'job',
    options: ['data', 'key', 'at', 'in', 'expires', 'reason', 'follow', 'tz'],
  },
  retry: { command: retryRun, about: 'run', options: ['key', 'reason', 'follow'] },
  cancel: { command: cancelRun, about: 'run', options: ['reason'] },
  pause: { command: pause, about: 'job?', options: ['all', 'reason', 'until', 'for', 'tz'] },
  resume: { command: resume, about: 'job?', options: ['all', 'reason'] },
  logs: { command: showLogs, about: 'run', options: ['follow'] },
}

export const SERVER_NAMES: readonly string[] = Object.keys(specs)

/** Options that only these commands have. */
export const SERVER_OPTIONS = {
  url: { type: 'string' },
  token: { type: 'string' },
  all: { type: 'boolean' },
  follow: { type: 'boolean', short: 'f' },
  job: { type: 'string' },
  group: { type: 'string' },
  owner: { type: 'string' },
  outcome: { type: 'string' },
  state: { type: 'string' },
  cause: { type: 'string' },
  text: { type: 'string' },
  at: { type: 'string' },
  in: { type: 'string' },
  for: { type: 'string' },
  expires: { type: 'string' },
  key: { type: 'string' },
  data: { type: 'string' },
  reason: { type: 'string' },
} as const

/** Runs a command that asks a server. Exit codes: 0 done; 1 refused; 2 wrong usage; 3 the server cannot answer. */
export async function askServer(argv: readonly string[], given: Given, output: Output): Promise<number> {
  try {
    const [name = '', about = '', ...more] = argv
    const { command, ...spec } = specs[name] as Spec
    checkUsage(name, spec, { about, more, given })
    return await command({ server: serverOf(given.url, given.token), given, output, about })
  } catch (error) {
    if (error instanceof UsageError) {
      output.error(`escapement: ${error.message}\nTry: escapement --help`)
      return 2
    }
    if (!(error instanceof ServerError)) throw error
    output.error(`escapement: ${printable(error.message)}`)
    return error.exit
  }
}

function checkUsage(
  name: string,
  { about: expected, options }: Omit<Spec, 'command'>,
  { about, more, given }: { about: string; more: readonly string[]; given: Given },
): void {
  const odd = expected === undefined ? about || more[0] : more[0]
  if (odd) throw new UsageError(`${name}: unexpected ${JSON.stringify(odd)}`)
  if (about === '' && (expected === 'job' || expected === 'run'))
    throw new UsageError(
      `${name}: the ${expected === 'job' ? 'name of the job' : 'id of the run'} is missing`,
    )
  const known: readonly string[] = [...PLACE, ...options]
  for (const option of Object.keys(given))
    if (!known.includes(option)) {
      const all = known.map((one) => (one === 'n' ? '-n' : `--${one}`)).join(', ')
      throw new UsageError(`${name}: there is no option --${option} here: ${all}`)
    }
}
