import { EscapementError, type Scheduler } from '@escapement/core'
import { checkKeys, fail, func, text } from '@escapement/core/plugin'
import { type Auth, secretless } from './auth/auth.ts'
import { type LinkToken, linkToken } from './auth/link-token.ts'
import { localHosts } from './auth/origin.ts'

/** What a viewer does not get to see of a run. */
export type Hidden = 'data' | 'result' | 'logs'

export interface AdminOptions {
  /**
   * Tells who asks, and what it may do: see `tokenAuth()` and `basicAuth()`. Without it everyone needs the random token of
   * the link that is logged at the start, and in production (`NODE_ENV`) it must be given.
   */
  auth?: Auth
  /** What viewers do not see of runs. Default nothing is hidden. */
  hide?: readonly Hidden[]
  /** The names of the server that are answered, e.g. `['jobs.example.org']`. Default with `auth` any, else this machine's. */
  hosts?: readonly string[]
  /** Shown as the name of the app. */
  title?: string
  /** Where a trace can be seen, e.g. `(id) => 'https://jaeger.example/trace/' + id`: runs get it as `traceUrl`. */
  traceUrl?: (traceId: string) => string | undefined
}

/** Options as they are used. */
export interface Settings {
  readonly auth: Auth
  readonly link: LinkToken | undefined
  readonly hide: readonly Hidden[]
  readonly hosts: readonly string[] | undefined
  readonly title: string
  readonly traceUrl: AdminOptions['traceUrl']
}

const KNOWN = { auth: 1, hide: 1, hosts: 1, title: 1, traceUrl: 1 } satisfies Record<keyof AdminOptions, 1>

/** @throws ERR_ESCAPEMENT_OPTION */
export function parseOptions(scheduler: Scheduler, options: AdminOptions): Settings {
  if (typeof scheduler?.history !== 'function' || typeof scheduler.jobs !== 'function')
    fail('the first argument of admin()', 'a scheduler', scheduler)
  checkKeys(options, KNOWN, 'admin() option')
  const { hide = [], hosts } = options
  const { auth } = options
  // It may be the token itself.
  if (auth !== undefined && typeof auth !== 'function')
    throw secretless('auth must be a function, such as tokenAuth() and basicAuth() give')
  if (!auth && process.env.NODE_ENV === 'production') {
    const message =
      'admin() needs the option auth in production: it tells who may see and run jobs, e.g. auth: tokenAuth({ [process.env.JOBS_TOKEN]: { actor: "ops", role: "operator" } })'
    throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
  }
  if (!Array.isArray(hide) || !hide.every((what) => ['data', 'result', 'logs'].includes(what)))
    fail('hide', "an array of 'data', 'result', 'logs'", hide)
  if (hosts !== undefined && !(Array.isArray(hosts) && hosts.every((host) => typeof host === 'string')))
    fail('hosts', 'an array of names', hosts)
  const link = auth ? undefined : linkToken()
  return {
    auth: auth ?? (link as LinkToken).auth,
    link,
    hide,
    hosts: hosts ?? (auth ? undefined : localHosts()),
    title: text('title', options.title) ?? 'Jobs',
    traceUrl: func('traceUrl', options.traceUrl),
  }
}
