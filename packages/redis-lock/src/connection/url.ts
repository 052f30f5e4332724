/** What may be shown of a Redis URL: its host, port and database; no user, no password, no query. */
export function redacted(url: string): string {
  const [scheme] = /^[a-z][a-z0-9+.-]{0,20}:\/\//i.exec(url) ?? ['']
  try {
    const { host, pathname, search, hash, username, password } = new URL(url)
    // An @ behind the host: a password with a / ? or # in it was taken for the host.
    const rest = pathname + search.replace(/[?&]\w*password=[^&]*/gi, '') + hash
    if (host && !decodeURIComponent(rest).includes('@')) {
      return `${scheme}${username || password ? '…@' : ''}${host}${pathname === '/' ? '' : pathname}`
    }
  } catch {
    // Not a URL: what it is cannot be told from what is secret in it.
  }
  return `${scheme}…`
}

/** The passwords that a URL or the options of a client hold, in all spellings in which they may come back. */
export function secretsOf(given: string | object | undefined): string[] {
  const found = typeof given === 'string' ? ofUrl(given) : ofOptions(given ?? {})
  return [...new Set(found.flatMap((text) => [text, decoded(text)]))].filter((text) => text.length > 2)
}

function ofUrl(url: string): string[] {
  const [, userInfo] = /\/\/(.*)@/s.exec(url) ?? []
  const password = userInfo?.slice(userInfo.indexOf(':') + 1)
  const parameters = [...url.matchAll(/[?&]\w*password=([^&#]*)/gi)].map(([, value]) => value as string)
  // A parser that was misled by an @, / ? or # in it shows parts of it as host or path.
  const parts = [/[/?#]/, /[@/?#:]/].flatMap((special) => password?.split(special) ?? [])
  return [...(password ? [password] : []), ...parameters, ...parts]
}

function ofOptions(options: object): string[] {
  const { redisOptions, ...own } = options as Record<string, unknown>
  const named = Object.entries(own).filter(([name]) => /password$/i.test(name))
  const values = named.flatMap(([, value]) => (typeof value === 'string' ? [value] : []))
  return typeof redisOptions === 'object' && redisOptions ? [...values, ...ofOptions(redisOptions)] : values
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Text without the secrets. */
export function scrub(text: string, secrets: readonly string[]): string {
  return [...secrets]
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
}
