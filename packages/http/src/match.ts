import type { Server } from 'node:net'

/**
 * How sure we are that a server's requests reach a middleware. `likely` and `maybe` become exact with the
 * first request that gets there.
 */
export type Match = 'exact' | 'likely' | 'maybe' | 'no'

const ORDER: readonly Match[] = ['exact', 'likely', 'maybe', 'no']

/** What is looked for. */
export interface Target {
  /** True for our middleware and for the apps it is known to be mounted on. */
  owns(fn: object): boolean
  /** True for what is known to be another scheduler's. */
  knows?(fn: object): boolean
  /** The middleware is one of Koa. Koa's apps cannot be seen through, only recognised. */
  readonly koa: boolean
}

/** Judges by the server's request listeners. */
export function match(server: Server, target: Target): Match {
  const listeners = server.listeners('request') as Fn[]
  return best(listeners.map((listener) => judge(listener, target, new Set(), 'maybe')))
}

// biome-ignore lint/suspicious/noExplicitAny: apps, routers and handlers of any framework
type Fn = ((...args: any[]) => unknown) & { stack?: Layer[]; __original?: Fn }

interface Layer {
  handle?: Fn
  route?: { stack: Layer[] }
}

/** @param opaque What a function that tells nothing about itself counts as. */
function judge(fn: Fn, target: Target, seen: Set<Fn>, opaque: Match): Match {
  if (seen.has(fn)) return 'no'
  seen.add(fn)
  if (target.owns(fn)) return 'exact'
  if (target.knows?.(fn)) return 'no'
  // Instrumentations (OpenTelemetry, shimmer) leave the function they wrap here.
  if (typeof fn.__original === 'function') return judge(fn.__original, target, seen, opaque)
  const layers = Array.isArray(fn.stack) ? fn.stack : routesOf(fn)
  if (layers) return best(layers.map((layer) => within(layer, target, seen)))
  // What app.use(otherApp) leaves in the stack: it hides the other app.
  if (fn.name === 'mounted_app') return 'maybe'
  if (/\.createContext\s*\(/.test(Function.prototype.toString.call(fn))) return target.koa ? 'likely' : opaque
  return opaque
}

function within(layer: Layer, target: Target, seen: Set<Fn>): Match {
  const inner = layer.route?.stack.map((each) => within(each, target, seen)) ?? []
  if (typeof layer.handle === 'function') inner.push(judge(layer.handle, target, seen, 'no'))
  return best(inner)
}

/**
 * What `app.use()` has made of the middleware it was given last: Express hides one that looks like an app, as
 * ours do, in a function of its own.
 */
export function lastMounted(app: object): object | undefined {
  const handle = routesOf(app as Fn)?.at(-1)?.handle
  return handle?.name === 'mounted_app' ? handle : undefined
}

/** The layers of an Express app; undefined for anything else. */
function routesOf(fn: Fn): Layer[] | undefined {
  const app = fn as Fn & { handle?: unknown; set?: unknown; _router?: Fn; router?: Fn }
  if (typeof app.handle !== 'function' || typeof app.set !== 'function') return
  try {
    return (app._router ?? app.router)?.stack ?? []
  } catch {
    return [] // Express 4 throws at `app.router`; without `_router` it has no routes yet
  }
}

function best(matches: Match[]): Match {
  return ORDER.find((each) => matches.includes(each)) ?? 'no'
}
