import { Refusal } from './problem.ts'
import type { Route } from './routes.ts'

const ROOT = '/api/v1/'

/** A route, and what stands for the names in its path. */
export interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/**
 * Finds the route of a request, under whatever prefix the handler is mounted.
 *
 * @throws Refusal
 */
export function match(routes: readonly Route[], method: string, pathname: string): Match {
  const start = pathname.indexOf(ROOT)
  const segments =
    start < 0
      ? []
      : pathname
          .slice(start + ROOT.length - 1)
          .split('/')
          .slice(1)
  const verb = method === 'HEAD' ? 'GET' : method
  const others: string[] = []
  for (const route of routes) {
    const params = fit(route.path.split('/').slice(1), segments)
    if (!params) continue
    if (route.method === verb) return { route, params }
    others.push(...(route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]))
  }
  if (others.length > 0)
    throw new Refusal(405, 'METHOD_NOT_ALLOWED', `${method} is not answered here`, {
      allow: others.join(', '),
    })
  throw new Refusal(404, 'NOT_FOUND', `there is nothing at ${JSON.stringify(pathname.slice(0, 200))}`)
}

function fit(names: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (names.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, name] of names.entries()) {
    const segment = segments[i] as string
    if (!name.startsWith('{')) {
      if (name !== segment) return undefined
    } else if (segment === '') return undefined
    else params[name.slice(1, -1)] = nameOf(segment)
  }
  return params
}

/** A name is one segment: `~1` stands for a slash and `~0` for a tilde, since proxies decode `%2F`; `~2` for a dot. */
function nameOf(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~2', '.').replaceAll('~0', '~')
  } catch {
    throw new Refusal(400, 'BAD_PATH', 'a name in the path is not encoded as UTF-8')
  }
}

/** A name as one segment of a path. */
export function segmentOf(name: string): string {
  // A URL takes these for the folder itself and the one above: `jobs/../pause` would pause all jobs.
  if (name === '.' || name === '..') return name.replaceAll('.', '~2')
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
}
