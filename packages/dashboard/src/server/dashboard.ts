import { type AdminOptions, admin } from '@escapement/admin'
import type { Scheduler } from '@escapement/core'
import type { FetchHandler } from '@escapement/http'
import { servePage } from './serve.ts'

/** The page with its API. */
export interface Dashboard extends FetchHandler {
  /** The random token that everyone needs who was given no `auth`: open the page with `?token=…`. */
  readonly token: string | undefined
}

/**
 * The page on the jobs of a scheduler, with the API under `api/v1/` of the same prefix: as one fetch handler.
 *
 * @param options Those of `admin()`: who may look and act. Without `auth` everyone needs the random token that is logged at
 *   the start, and in production it throws.
 * @throws ERR_ESCAPEMENT_OPTION
 *
 * @example
 * app.use('/jobs', toNode(dashboard(scheduler, { auth: basicAuth({ ann: { password: process.env.ANN, role: 'operator' } }) })))
 */
export function dashboard(scheduler: Scheduler, options?: AdminOptions): Dashboard {
  const api = admin(scheduler, options)
  const page = servePage(api)
  const handler: FetchHandler = async (request, info) => {
    const response = await page(request, info)
    const cookie = api.cookie(request)
    // The link has the token: from then on the cookie has it.
    if (cookie !== undefined) response.headers.append('set-cookie', cookie)
    return response
  }
  return Object.assign(handler, { token: api.token })
}
