import { randomBytes } from 'node:crypto'
import type { Auth } from './auth.ts'
import { equal } from './compare.ts'

const COOKIE = 'escapement_token'

/** Lets those in that know the random token of the link that is printed at the start: for development. */
export interface LinkToken {
  readonly token: string
  readonly auth: Auth
  /** The cookie that stands for the token of the link from then on. */
  cookie(request: Request): string | undefined
}

export function linkToken(): LinkToken {
  const token = randomBytes(24).toString('base64url')
  const given = (request: Request): string | null => new URL(request.url).searchParams.get('token')
  return {
    token,
    auth(request) {
      const bearer = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
      const cookie = new RegExp(`(?:^|; )${COOKIE}=([^;]+)`).exec(request.headers.get('cookie') ?? '')?.[1]
      const sent = given(request) ?? bearer ?? cookie
      if (sent === undefined || !equal(sent, token)) return undefined
      return { actor: 'developer', role: 'operator' }
    },
    cookie(request) {
      const sent = given(request)
      if (sent === null || !equal(sent, token)) return undefined
      const secure = new URL(request.url).protocol === 'https:' ? '; Secure' : ''
      return `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict${secure}`
    },
  }
}
