import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { EscapementError } from '@escapement/core'
import { systemZoneProblem } from '@escapement/core/plugin'
import { describeCommand, explainCommand, nextCommand, yearCommand } from './commands.ts'
import { schemaCommand } from './schema.ts'
import { askServer, SERVER_NAMES, SERVER_OPTIONS } from './server/server.ts'
import { MAX_INSTANTS, type Output, readTime, type Settings, UsageError } from './settings.ts'

const help = `Preview and explain schedules of Escapement, and run jobs.

  escapement next <expression>             the next instants
  escapement explain <expression> <time>   why it is due then, or why not
  escapement describe <expression>         in words
  escapement year <expression> [year]      the days of a year on which it is due
  escapement schema [sqlite|postgres] --sql
                                           the statements that make the tables, for migrate: false

  escapement jobs                          the jobs of a server, and how they stand
  escapement runs                          its newest runs
  escapement run <job> [--data <json>]     ask for a run; retry <run>: run it again
  escapement logs <run> [--follow]         the lines that a run has written
  escapement cancel <run>
  escapement pause <job> | --all           resume undoes it

Options
  --tz <zone>       IANA zone, e.g. Asia/Shanghai (default: this machine's)
  --dst <policy>    vixie, skip or shift (default: vixie)
  -n <count>        how many instants (default: 10)
  --from <time>     start after this (default: now)
  --until <time>    stop at this
  --seed <text>     settles H; a scheduler uses the job's name
  --lang <en|zh>    language of describe (default: en)
  --json            for programs
  --schema <name>   schema of PostgreSQL (default: escapement)
  --from <v>.<n>    of a file of SQLite: what it has already (default: 0.0, nothing)
  --help, --version

Options of commands that ask a server
  --url <address>   where admin() is mounted, e.g. http://localhost:3000/jobs (default: ESCAPEMENT_URL)
  --token <token>   who asks (default: ESCAPEMENT_TOKEN, which other users of the machine do not see)
  --reason <text>   the record and the audit give it
  jobs              --text, --group, --owner, --state paused|running|failing|overdue, -n
  runs              --job, --outcome, --state, --cause, --text, --from, --until, -n (default: 20)
  run, retry        --key <key> asks once; -f, --follow shows its lines, until it has ended
  run               --at <time>, --in <duration>, --expires <duration>
  pause             --until <time>, --for <duration>, --all

Times are 2026-11-20T09:00:00Z, or 2026-11-20 09:00 in the zone of --tz.
Exit codes: 0 done; 1 the schedule is refused, is not due then, or never again;
the server refuses, or a run that is followed does not succeed; 2 wrong usage; 3 the server cannot answer.

  escapement next "0 0 LW * *" --tz Asia/Shanghai -n 5`

const commands: Record<string, (settings: Settings, output: Output) => number> = {
  next: nextCommand,
  explain: explainCommand,
  describe: describeCommand,
  year: yearCommand,
}

const NAMES = [...Object.keys(commands), 'schema', ...SERVER_NAMES].join(', ')

/**
 * Runs one command.
 *
 * @returns Its exit code; a promise of it when the command asks a server.
 * @example
 * process.exitCode = await main(['next', '0 9 * * *'], { out: console.log, error: console.error })
 */
export function main(argv: string[], output: Output): number | Promise<number> {
  try {
    const { values, positionals } = read(argv)
    if (values.help) return print(output, help)
    if (values.version) return print(output, version())
    const [name, expression, ...rest] = positionals
    if (name === undefined) throw new UsageError(`a command is missing: ${NAMES}`)
    if (SERVER_NAMES.includes(name)) return askServer(positionals, values, output)
    checkOptions(name, values)
    if (name === 'schema') return schemaCommand(expression, schemaOptions(values, rest), output)
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!command) throw new UsageError(`there is no command ${JSON.stringify(name)}: use ${NAMES}`)
    if (expression === undefined)
      throw new UsageError(`${name}: the expression is missing, in quotes: "0 9 * * *"`)
    const most = name === 'explain' || name === 'year' ? 1 : 0
    if (rest.length > most) {
      throw new UsageError(
        `${name}: unexpected ${JSON.stringify(rest[most])}; an expression needs quotes: "0 9 * * *"`,
      )
    }
    const problem = values.tz === undefined && name !== 'describe' ? systemZoneProblem() : undefined
    if (problem) output.error(`escapement: ${problem}`)
    return command(settings(values, expression, rest[0]), output)
  } catch (error) {
    if (error instanceof UsageError) {
      output.error(`escapement: ${error.message}\nTry: escapement --help`)
      return 2
    }
    if (!(error instanceof EscapementError)) throw error
    output.error(`escapement: ${error.message} [${error.code}]`)
    return error.code === 'ERR_ESCAPEMENT_TIMEZONE' || error.code === 'ERR_ESCAPEMENT_OPTION' ? 2 : 1
  }
}

const options = {
  tz: { type: 'string' },
  dst: { type: 'string' },
  n: { type: 'string', short: 'n' },
  from: { type: 'string' },
  until: { type: 'string' },
  seed: { type: 'string' },
  lang: { type: 'string' },
  json: { type: 'boolean' },
  sql: { type: 'boolean' },
  schema: { type: 'string' },
  ...SERVER_OPTIONS,
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

function read(argv: string[]) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

type Values = ReturnType<typeof read>['values']

/** Schedules know no options of servers. */
function checkOptions(name: string, values: Values): void {
  const odd = Object.keys(values).find((option) => Object.hasOwn(SERVER_OPTIONS, option))
  if (odd !== undefined) throw new UsageError(`${name}: there is no option --${odd} here`)
}

function schemaOptions({ sql, schema, from }: Values, [more]: string[]) {
  if (more !== undefined) throw new UsageError(`schema: unexpected ${JSON.stringify(more)}`)
  return { sql, schema, from }
}

function settings(values: Values, expression: string, rest: string | undefined): Settings {
  const count = values.n === undefined ? undefined : Number(values.n)
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= MAX_INSTANTS)) {
    throw new UsageError(
      `-n: expected a whole number from 1 to ${MAX_INSTANTS}, got ${JSON.stringify(values.n)}`,
    )
  }
  const lang = values.lang ?? 'en'
  if (lang !== 'en' && lang !== 'zh')
    throw new UsageError(`--lang: expected en or zh, got ${JSON.stringify(lang)}`)
  const { dst } = values
  if (dst !== undefined && dst !== 'vixie' && dst !== 'skip' && dst !== 'shift')
    throw new UsageError(`--dst: expected vixie, skip or shift, got ${JSON.stringify(dst)}`)
  return {
    expression,
    rest,
    timezone: values.tz,
    dst,
    seed: values.seed,
    count,
    from: values.from === undefined ? new Date() : readTime(values.from, '--from', values.tz),
    until: values.until === undefined ? undefined : readTime(values.until, '--until', values.tz),
    lang,
    json: values.json ?? false,
  }
}

function print(output: Output, text: string): number {
  output.out(text)
  return 0
}

function version(): string {
  return createRequire(import.meta.url)('escapement/package.json').version
}
