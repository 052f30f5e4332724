/** What an SMTP transport is given to log in with, as far as it concerns us: never in a text, never without TLS. */
interface SmtpLogin {
  url?: unknown
  host?: unknown
  auth?: unknown
}

/**
 * Requires TLS where a password goes to another machine: without it, whoever is on the way can take STARTTLS out of the
 * server's answer and read the password. `requireTLS` or `ignoreTLS` in the options or the address decides otherwise.
 */
export function withTls(options: SmtpLogin & { [option: string]: unknown }): object {
  const { url, host, password } = loginOf(options)
  if (!password || isLoopback(host)) return options
  // Transports read an address before the options beside it, and some versions read nothing else.
  if (url) {
    if (!url.searchParams.has('requireTLS') && !url.searchParams.has('ignoreTLS')) {
      url.searchParams.set('requireTLS', 'true')
    }
    return { ...options, url: url.href }
  }
  return options.ignoreTLS ? options : { requireTLS: true, ...options }
}

/** The user and the password, also as SMTP sends them. */
export function secretsOf(options: unknown): string[] {
  const { url, user, password } = loginOf(options)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const login = password
    ? [password, base64(password), encodeURIComponent(password), base64(`\u0000${user}\u0000${password}`)]
    : []
  return [...(url ? [url.href] : []), ...login, ...(user && password ? [base64(user)] : [])]
}

function loginOf(options: unknown): { url?: URL; host: string; user: string; password: string } {
  const { url: address, host, auth } = (options ?? {}) as SmtpLogin
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined
  const { user, pass } = (auth ?? {}) as { user?: unknown; pass?: unknown }
  return {
    ...(url && { url }),
    host: url?.hostname || text(host) || 'localhost',
    user: decode(url?.username ?? '') || text(user),
    password: decode(url?.password ?? '') || text(pass),
  }
}

function isLoopback(host: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
