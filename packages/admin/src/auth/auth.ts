import { EscapementError } from '@escapement/core'
import { equal } from './compare.ts'

export type Role = 'viewer' | 'operator'

/** The person or program that asks. */
export interface Identity {
  /** Its name, as the audit keeps it. */
  readonly actor: string
  /** A viewer looks, an operator acts. */
  readonly role: Role
  /** The jobs it may see. Default all. */
  jobs?(name: string): boolean
}

/** Tells who asks. Undefined: nobody that is known (401). A Response is the answer, as a redirect to a login. */
export type Auth = (
  request: Request,
  info: { readonly peer: string | undefined },
) => Identity | Response | undefined | Promise<Identity | Response | undefined>

/**
 * Lets those in that send one of these tokens as `Authorization: Bearer …`. Tokens are compared in constant time.
 *
 * @param tokens Who each token stands for. A token has at least 16 characters.
 * @throws ERR_ESCAPEMENT_OPTION
 * @example
 * admin(scheduler, { auth: tokenAuth({ [process.env.JOBS_TOKEN]: { actor: 'ops', role: 'operator' } }) })
 */
export function tokenAuth(tokens: Readonly<Record<string, Identity>>): Auth {
  const known = Object.entries(tokens ?? {})
  if (known.length === 0 || known.some(([token]) => token.length < 16 || token === 'undefined'))
    throw secretless('tokens must be an object of tokens of at least 16 characters')
  return (request) => {
    const given = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    if (given === undefined) return undefined
    // All are compared: how long it takes does not tell which one it is.
    return known.filter(([token]) => equal(token, given)).map(([, identity]) => identity)[0]
  }
}

/**
 * Lets those in that send one of these names and passwords by basic auth; a browser asks for them.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 * @example
 * admin(scheduler, { auth: basicAuth({ ann: { password: process.env.ANN, role: 'operator' } }) })
 */
export function basicAuth(
  users: Readonly<Record<string, { readonly password: string; readonly role: Role }>>,
): Auth {
  const known = Object.entries(users ?? {})
  if (
    known.length === 0 ||
    known.some(([, user]) => typeof user?.password !== 'string' || user.password.length < 8)
  )
    throw secretless('users must be an object of names with passwords of at least 8 characters')
  return (request) => {
    const sent = /^Basic (\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    const text = sent === undefined ? '' : Buffer.from(sent, 'base64').toString()
    const found = known.filter(([name, { password }]) => equal(`${name}:${password}`, text))[0]
    if (found) return { actor: found[0], role: found[1].role }
    const headers = { 'www-authenticate': 'Basic realm="jobs", charset="UTF-8"', 'cache-control': 'no-store' }
    return new Response('sign in', { status: 401, headers })
  }
}

/** A refused option without what was given: these are secrets. */
export function secretless(message: string): EscapementError {
  return new EscapementError('ERR_ESCAPEMENT_OPTION', message)
}
