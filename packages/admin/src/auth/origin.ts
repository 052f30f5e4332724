import { Refusal } from '../problem.ts'

/** The header that a program sends to show that no page of another origin makes the request. */
export const OWN_HEADER = 'x-escapement-request'

const LOCAL = ['localhost', '127.0.0.1', '[::1]']

/**
 * A page of another origin can make a browser send a request, with its cookies: what changes state must show that it comes
 * from our own page, or from a program.
 *
 * @throws Refusal
 */
export function checkOrigin(request: Request): void {
  if (request.headers.get(OWN_HEADER) !== null) return
  if (request.headers.get('sec-fetch-site') === 'same-origin') return
  throw new Refusal(
    403,
    'CROSS_ORIGIN',
    `a request that changes something must come from the same origin, or have the header ${OWN_HEADER}: 1`,
  )
}

/**
 * A name that a stranger has pointed at this machine is no name of ours.
 *
 * @param hosts The names that are answered. Undefined: any.
 * @throws Refusal
 */
export function checkHost(request: Request, hosts: readonly string[] | undefined): void {
  if (hosts === undefined) return
  const { hostname } = new URL(request.url)
  if (hosts.includes(hostname)) return
  throw new Refusal(421, 'WRONG_HOST', 'this name of the server is not answered: see the option hosts')
}

/** Those of a server that only this machine is meant to use. */
export function localHosts(): readonly string[] {
  return LOCAL
}
